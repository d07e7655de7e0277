//! Reads libpq's connection strings as libpq does: how long connecting may take, and what a server would do for somebody
//! who is not its administrator.
//!
//! Source of the grammar: fe-connect.c and PostgreSQL documentation, "Connection Strings"; of the rule: "Logical Replication –
//! Security" and CREATE SUBSCRIPTION, password_required. Services and the environment are not looked at.
#![forbid(unsafe_code)]

mod parse;

pub use parse::options;

/// Seconds that connecting may take; None when the string does not say, or not with a number.
pub fn connect_timeout(conninfo: &str) -> Option<i32> {
    last(&options(conninfo).ok()?, "connect_timeout").trim().parse().ok()
}

/// What tells the server where to connect and how, without touching a file or an identity of the user that runs it.
/// Everything else is refused, so that an option of a later libpq is refused as well.
const HARMLESS: [&str; 29] = [
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "connect_timeout",
    "application_name",
    "fallback_application_name",
    "client_encoding",
    "options",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "sslmode",
    "sslnegotiation",
    "sslcompression",
    "sslsni",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "min_protocol_version",
    "max_protocol_version",
    "channel_binding",
    "require_auth",
    "gssencmode",
    "target_session_attrs",
    "load_balance_hosts",
];

/// All that makes a connection string one that only a superuser may give: files of the server, its operating system
/// user's identity, sockets. Never with a value, which may be a password.
pub fn problems(conninfo: &str) -> Vec<String> {
    // What counts as white space beyond ASCII depends on the server's locale.
    if !conninfo.is_ascii() {
        return vec![
            "the connection string is not ASCII: write a URI, and other characters as %XX of their UTF-8".into(),
        ];
    }
    let options = match options(conninfo) {
        Ok(options) => options,
        Err(reason) => return vec![reason],
    };
    let mut problems = Vec::new();
    for (name, value) in &options {
        if name == "dbname" && (value.contains('=') || value.contains("://")) {
            problems.push("dbname holds another connection string".into());
        }
        if HARMLESS.contains(&name.as_str()) || name == "sslrootcert" && value == "system" {
            continue;
        }
        problems
            .push(format!("{name} is for superusers only: it makes the server use files or an identity of its own"));
    }
    if last(&options, "password").is_empty() {
        problems
            .push("password is missing: the server must not connect with what its operating system user has".into());
    }
    let (host, address) = (last(&options, "host"), last(&options, "hostaddr"));
    let reached = if host.is_empty() { address } else { host };
    if reached.split(',').any(|one| one.is_empty() || one.starts_with(['/', '@'])) {
        problems
            .push("host must name servers on the network: through a socket the server is known as its own user".into());
    }
    problems
}

/// A later value of an option replaces an earlier one. Empty when there is none.
fn last<'a>(options: &'a [(String, String)], wanted: &str) -> &'a str {
    options.iter().rev().find(|(name, _)| name == wanted).map_or("", |(_, value)| value)
}

#[cfg(test)]
mod tests;
