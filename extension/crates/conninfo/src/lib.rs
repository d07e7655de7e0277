//! What a connection string of libpq says about one keyword, as libpq reads it (fe-connect.c): `keyword = 'value'` pairs or
//! a URI. Of several settings the last counts. Services and the environment are not looked at.
#![forbid(unsafe_code)]

/// Seconds that connecting may take; None when the string does not say, or not with a number.
pub fn connect_timeout(conninfo: &str) -> Option<i32> {
    let value = match conninfo.strip_prefix("postgresql://").or_else(|| conninfo.strip_prefix("postgres://")) {
        Some(rest) => in_uri(rest, "connect_timeout"),
        None => in_pairs(conninfo, "connect_timeout"),
    };
    value?.trim().parse().ok()
}

fn in_uri(rest: &str, keyword: &str) -> Option<String> {
    // User and password end at the first @ before the first /; a ? in them is theirs.
    let host = match rest.find(['@', '/']) {
        Some(at) if rest[at..].starts_with('@') => &rest[at + 1..],
        _ => rest,
    };
    let (_, parameters) = host.split_once('?')?;
    let of_keyword = |parameter: &str| {
        let (name, value) = parameter.split_once('=')?;
        (decoded(name) == keyword).then(|| decoded(value))
    };
    parameters.split('&').filter_map(of_keyword).next_back()
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = bytes[at..].strip_prefix(b"%").and_then(|rest| rest.get(..2));
        let code = code.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        plain.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn in_pairs(text: &str, keyword: &str) -> Option<String> {
    let mut found = None;
    let mut rest = text.trim_start();
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = value(after.trim_start());
        if name.trim() == keyword {
            found = Some(value);
        }
        rest = after.trim_start();
    }
    found
}

/// A value, quoted or up to the next space, and what follows it. A backslash takes the next character as it is.
fn value(text: &str) -> (String, &str) {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, literal)| literal)),
            '\'' if quoted => return (value, &text[at + 1..]),
            space if !quoted && space.is_ascii_whitespace() => return (value, &text[at..]),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::connect_timeout;

    #[test]
    fn reads_what_libpq_reads() {
        for (conninfo, expected) in [
            ("", None),
            ("host=a port=5432", None),
            ("host=a connect_timeout=7", Some(7)),
            ("connect_timeout = '7' host=a", Some(7)),
            ("connect_timeout=7 connect_timeout=9", Some(9)),
            ("application_name=connect_timeout", None),
            ("application_name='a connect_timeout=3'", None),
            (r"application_name='it\'s connect_timeout=3' connect_timeout=4", Some(4)),
            (r"password=a\ connect_timeout=3", None),
            ("tcp_user_timeout=1", None),
            ("connect_timeout=soon", None),
            ("postgresql://h/d", None),
            ("postgresql://h/d?connect_timeout=7", Some(7)),
            ("postgres://u:p?connect_timeout=3@h/d", None),
            ("postgres://u:p?x@h/d?a=b&connect%5Ftimeout=%37", Some(7)),
            ("postgresql://h/d?application_name=connect_timeout", None),
            ("postgresql://h?connect_timeout=1&connect_timeout=2", Some(2)),
            ("postgresql://h/d@e?connect_timeout=2", Some(2)),
        ] {
            assert_eq!(connect_timeout(conninfo), expected, "{conninfo}");
        }
    }
}
