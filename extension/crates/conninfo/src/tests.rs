use super::*;

#[test]
fn reads_the_timeout_that_libpq_reads() {
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
        ("host=ä password='ö' connect_timeout=2", Some(2)),
    ] {
        assert_eq!(connect_timeout(conninfo), expected, "{conninfo}");
    }
}

#[test]
fn a_server_with_a_password_is_allowed() {
    for good in [
        "host=b port=5432 dbname=d user=u password=p",
        "hostaddr=192.0.2.1 password=p",
        "host = 'b' password = 'it\\'s' sslmode=verify-full sslrootcert=system",
        "postgresql://u:p@b:5432,c/d?sslmode=require&connect_timeout=5",
        "postgres://b/d?password=p%40",
        "postgresql://u:p@[2001:db8::1]/d",
        "postgresql://u:p?q@b/d",
    ] {
        assert_eq!(problems(good), Vec::<String>::new(), "{good}");
    }
}

#[test]
fn what_uses_the_servers_own_rights_is_refused() {
    for bad in [
        "",
        "host=b",
        "host=b password=''",
        "host=b password=p password=",
        "password=p",
        "host='' password=p",
        "host= password=p",
        "host=/tmp password=p",
        "host=b host=/tmp password=p",
        "host='/tmp' password=p",
        "host=\\/tmp password=p",
        "host=@abstract password=p",
        "host=b,,c password=p",
        "host=b,/tmp password=p",
        "host=b password=p passfile=/x",
        "host=b\x0bpassword=p\x0bpassfile=/x",
        "host=b password=p service=s",
        "host=b password=p servicefile=s",
        "host=b password=p sslkey=k",
        "host=b password=p sslcert=c",
        "host=b password=p sslrootcert=/etc/shadow",
        "host=b password=p sslkeylogfile=/tmp/x",
        "host=b password=p krbsrvname=x",
        "host=b password=p gssdelegation=1",
        "host=b password=p option_of_the_future=1",
        "host=b password=p dbname='service=s host=b'",
        "host=b password=p dbname=postgresql://c/d",
        "host=b\u{a0}passfile=/x password=p",
        "postgresql://u:p@%2Ftmp/d",
        "postgresql://u:p@%20/d?host=/tmp",
        "postgresql://u:p@ /tmp/d",
        "postgresql://u:p@/d?host=/tmp",
        "postgresql://u:p@/d?host= /tmp",
        "postgresql://u:p@/d",
        "postgresql://u:p@b/d?host=%2ftmp",
        "postgresql://u:p@b/d?passfile=x",
        "postgresql://u:p@b/d?pass%66ile=x",
        "postgresql://u:p@b,%2Ftmp/d",
        "postgresql://u:p@b%2C/d",
        "postgresql://u@b/d",
        "postgresql://u@b/d?dbname=service%3Ds",
        "postgresql://u:q?password=p@/d",
    ] {
        assert_ne!(problems(bad), Vec::<String>::new(), "{bad}");
    }
}
