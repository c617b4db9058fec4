//! Looks around for anything of the host.

use bulkhead_guests::*;

guest!("LOOK", |_| {
    let mut found = Vec::new();
    found.extend(std::env::vars().map(|(name, _)| name));
    found.extend(std::env::args());
    for path in ["/", "/etc/passwd", "/proc/self/environ", "..", ".", "/workspace"] {
        if std::fs::metadata(path).is_ok() || std::fs::read_dir(path).is_ok() || std::fs::read(path).is_ok() {
            found.push(path.to_owned());
        }
    }
    if std::fs::write("/tmp/x", "x").is_ok() {
        found.push("write".to_owned());
    }
    if std::net::TcpStream::connect("127.0.0.1:22").is_ok() || std::net::TcpStream::connect("localhost:22").is_ok() {
        found.push("socket".to_owned());
    }
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line).is_ok_and(|read| read > 0) {
        found.push("stdin".to_owned());
    }
    complete(&format!("{found:?}"))
});
