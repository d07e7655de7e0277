//! Both forms of connection strings as a list of options, in their order, cut where libpq cuts them.

/// The options of a connection string. Errors say what cannot be read, without the value, which may be a password.
pub fn options(conninfo: &str) -> Result<Vec<(String, String)>, String> {
    match conninfo.strip_prefix("postgresql://").or_else(|| conninfo.strip_prefix("postgres://")) {
        Some(rest) => uri(rest),
        None => pairs(conninfo),
    }
}

/// C's isspace, which has the vertical tab too.
fn space(c: &char) -> bool {
    c.is_ascii_whitespace() || *c == '\x0b'
}

fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut options = Vec::new();
    let mut rest = text.chars().peekable();
    loop {
        while rest.next_if(space).is_some() {}
        if rest.peek().is_none() {
            return Ok(options);
        }
        let mut name = String::new();
        while let Some(c) = rest.next_if(|c| *c != '=' && !space(c)) {
            name.push(c);
        }
        while rest.next_if(space).is_some() {}
        if rest.next() != Some('=') {
            return Err("an option without = in the connection string".into());
        }
        while rest.next_if(space).is_some() {}
        let quoted = rest.next_if_eq(&'\'').is_some();
        let mut value = String::new();
        loop {
            match rest.next() {
                None if quoted => return Err("a quote that is not closed in the connection string".into()),
                None => break,
                Some('\'') if quoted => break,
                Some(c) if !quoted && space(&c) => break,
                Some('\\') => value.extend(rest.next()),
                Some(c) => value.push(c),
            }
        }
        options.push((name, value));
    }
}

fn uri(text: &str) -> Result<Vec<(String, String)>, String> {
    if text.contains(|c| space(&c)) {
        return Err("white space in the URI: write it as %20".into());
    }
    let mut options = Vec::new();
    // User and password end at the first @ before the first /; a ? in them is theirs.
    let (who, rest) = match text.find(['@', '/']) {
        Some(at) if text[at..].starts_with('@') => (&text[..at], &text[at + 1..]),
        _ => ("", text),
    };
    let (user, password) = who.split_once(':').unwrap_or((who, ""));
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (hosts, database) = before.split_once('/').unwrap_or((before, ""));
    let mut names = Vec::new();
    for host in hosts.split(',') {
        names.push(match host.strip_prefix('[') {
            Some(inner) => inner.split_once(']').ok_or("a [ without ] in the URI")?.0,
            None => host.split(':').next().unwrap_or(""),
        });
    }
    for (name, value) in [("user", user), ("password", password), ("host", &names.join(",")), ("dbname", database)] {
        if !value.is_empty() {
            options.push((name.to_owned(), decoded(value)?));
        }
    }
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').ok_or("a parameter without = in the URI")?;
        options.push((decoded(name)?, decoded(value)?));
    }
    Ok(options)
}

fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        match (digit(rest.next()), digit(rest.next())) {
            (Some(high), Some(low)) if high + low > 0 => bytes.push((high * 16 + low) as u8),
            _ => return Err("a % that is not followed by two digits in the URI".into()),
        }
    }
    String::from_utf8(bytes).map_err(|_| "the URI is not UTF-8".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str, name: &str) -> String {
        options(text).unwrap().into_iter().filter(|(n, _)| n == name).map(|(_, v)| v).collect()
    }

    #[test]
    fn quotes_and_escapes() {
        let text = r"a='x y' b=c\ d e = 'f\'g\\'";
        assert_eq!(one(text, "a"), "x y");
        assert_eq!(one(text, "b"), "c d");
        assert_eq!(one(text, "e"), r"f'g\");
        assert!(options("a='x").is_err());
        assert!(options("a").is_err());
    }

    #[test]
    fn uris() {
        let text = "postgresql://u%40x:p%3A?@[::1]:1,b:2/d?sslmode=require";
        assert_eq!(one(text, "user"), "u@x");
        assert_eq!(one(text, "password"), "p:?");
        assert_eq!(one(text, "host"), "::1,b");
        assert_eq!(one(text, "dbname"), "d");
        assert_eq!(one(text, "sslmode"), "require");
        assert_eq!(one("postgresql://u@v@b/d", "host"), "v@b");
        assert!(options("postgresql://b/%zz").is_err());
    }
}
