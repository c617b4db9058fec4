//! Tries to reach others, and answers whom it reached.

use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

use bulkhead_guests::*;

guest!("SOCKETS", |_| {
    let mut reached = Vec::new();
    for address in ["127.0.0.1:22", "127.0.0.1:7070", "169.254.169.254:80", "[::1]:22", "10.0.0.1:80", "1.1.1.1:443"] {
        if TcpStream::connect(address).is_ok() {
            reached.push(format!("connect {address}"));
        }
    }
    if TcpListener::bind("127.0.0.1:0").is_ok() {
        reached.push("listen".to_owned());
    }
    if UdpSocket::bind("0.0.0.0:0").is_ok() {
        reached.push("udp".to_owned());
    }
    if "localhost:80".to_socket_addrs().is_ok() {
        reached.push("resolve".to_owned());
    }
    complete(format!("{reached:?}"))
});
