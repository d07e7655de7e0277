//! Calling SQL. Not through `Spi::run` and `Spi::get_one`: those take a transaction id before the statement runs, and a
//! worker that holds one while a peer makes a slot for it would have that peer, and so itself, wait for ever.

use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;

/// The first column of the first row as text; the query must return text. Errors of the query are raised.
pub fn text(query: &str, arguments: &[DatumWithOid]) -> Option<String> {
    Spi::connect(|client| {
        let rows = client.select(query, Some(1), arguments)?;
        if rows.is_empty() { Ok(None) } else { rows.first().get_one::<String>() }
    })
    .unwrap_or_else(|error: spi::Error| pgrx::error!("{query}: {error}"))
}

/// The first column of all rows as text.
pub fn texts(query: &str) -> Vec<String> {
    Spi::connect(|client| {
        let rows = client.select(query, None, &[])?;
        rows.map(|row| row.get::<String>(1)).filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()
    })
    .unwrap_or_else(|error: spi::Error| pgrx::error!("{query}: {error}"))
}
