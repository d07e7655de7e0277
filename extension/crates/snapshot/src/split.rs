//! Cutting tables into pieces, so that several streams have work to the end.

/// A range of a table's pages, `from` up to and without `to`; without an end in the last piece of a table, which may
/// have grown since it was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pages {
    pub from: u32,
    pub to: Option<u32>,
}

/// Smaller pieces cost more in files and transactions than they gain.
const LEAST: u64 = 4096;
/// Pieces of the largest table for each stream: the last ones to be done are that small.
const EACH: u64 = 8;

/// The pieces of a table of so many pages, for so many streams.
pub fn split(pages: u64, streams: u64) -> Vec<Pages> {
    let size = pages.div_ceil((streams * EACH).max(1)).max(LEAST);
    let count = if streams <= 1 { 1 } else { pages.div_ceil(size).max(1) };
    let place = |number: u64| u32::try_from(number * size).unwrap_or(u32::MAX);
    (0..count).map(|n| Pages { from: place(n), to: (n + 1 < count).then(|| place(n + 1)) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_in_one_piece() {
        for pages in [0, 1, 4095, 4096, 4097, 100_000, 12_345_678, u64::from(u32::MAX) - 1] {
            for streams in [1, 2, 4, 16] {
                let pieces = split(pages, streams);
                assert_eq!(pieces[0].from, 0);
                assert_eq!(pieces.last().unwrap().to, None);
                assert!(pieces.windows(2).all(|two| two[0].to == Some(two[1].from) && two[0].from < two[1].from));
                assert!(pieces.len() as u64 <= streams * EACH);
            }
        }
    }

    #[test]
    fn small_tables_stay_whole_and_one_stream_needs_no_pieces() {
        assert_eq!(split(4096, 4).len(), 1);
        assert_eq!(split(8192, 4).len(), 2);
        assert_eq!(split(1_000_000, 1).len(), 1);
        assert_eq!(split(1_000_000, 4).len(), 32);
    }
}
