//! To an address that was asked about.

use std::io;
use std::net::IpAddr;

use tokio::net::TcpStream;

use crate::Resolve;

/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 4;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError<R> {
    /// The name leads nowhere.
    #[error("the name `{0}` has no address")]
    NoAddress(String),
    /// The last address that was looked at may not be connected to.
    #[error("{0}")]
    Refused(R),
    /// The last address that was tried does not take it.
    #[error("cannot connect: {}", .0.kind())]
    Failed(io::Error),
}

/// Connects to an address of the name that `check` lets pass: what is checked is what is connected to.
///
/// # Cancel safety
///
/// Nothing is left open where the future is dropped.
pub async fn connect<R>(
    host: &str,
    port: u16,
    resolver: &dyn Resolve,
    check: impl Fn(IpAddr) -> Result<(), R>,
) -> Result<TcpStream, ConnectError<R>> {
    let none = || ConnectError::NoAddress(host.to_owned());
    let addresses = resolver.resolve(host, port).await.map_err(|_| none())?;
    let mut why = none();
    let mut tried = 0;
    for address in addresses {
        if let Err(refused) = check(address.ip()) {
            why = ConnectError::Refused(refused);
            continue;
        }
        if tried == MAX_ADDRESSES {
            break;
        }
        tried += 1;
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Without it, small requests wait for answers that nobody sends.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => why = ConnectError::Failed(error),
        }
    }
    Err(why)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::net::TcpListener;

    use super::*;
    use crate::{AddressRules, Resolved, SystemResolver};

    /// A name that leads elsewhere each time it is asked.
    struct Rebinding {
        answers: Vec<Vec<SocketAddr>>,
        asked: AtomicUsize,
    }

    impl Resolve for Rebinding {
        fn resolve(&self, _host: &str, _port: u16) -> Resolved {
            let answer = self.answers[self.asked.fetch_add(1, Ordering::Relaxed) % self.answers.len()].clone();
            Box::pin(std::future::ready(Ok(answer)))
        }
    }

    #[tokio::test]
    async fn a_name_is_connected_to_only_where_its_address_is_allowed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap();
        let strict = AddressRules::default();
        let named = AddressRules::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let resolver = Rebinding { answers: vec![vec![here]], asked: AtomicUsize::new(0) };
        let refused = connect("example.com", here.port(), &resolver, |ip| strict.check(ip)).await.unwrap_err();
        assert!(matches!(refused, ConnectError::Refused(_)), "{refused}");
        connect("example.com", here.port(), &resolver, |ip| named.check(ip)).await.unwrap();
        let refused = connect("localhost", here.port(), &SystemResolver, |ip| strict.check(ip)).await.unwrap_err();
        assert!(matches!(refused, ConnectError::Refused(_)), "{refused}");
    }

    #[tokio::test]
    async fn a_name_is_asked_once_for_each_connection_so_that_its_next_answer_changes_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap();
        let rules = AddressRules::new(vec!["127.0.0.1/32".parse().unwrap()]);
        let elsewhere: SocketAddr = "127.0.0.2:1".parse().unwrap();
        let resolver = Rebinding { answers: vec![vec![here], vec![elsewhere]], asked: AtomicUsize::new(0) };
        let check = |ip| rules.check(ip);
        connect("example.com", here.port(), &resolver, check).await.unwrap();
        assert_eq!(resolver.asked.load(Ordering::Relaxed), 1);
        let second = connect("example.com", here.port(), &resolver, check).await.unwrap_err();
        assert!(matches!(second, ConnectError::Refused(_)), "{second}");
    }

    #[tokio::test]
    async fn an_allowed_address_is_found_among_others() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap();
        let other: SocketAddr = "127.0.0.2:1".parse().unwrap();
        let only_here = AddressRules::new(vec!["127.0.0.1/32".parse().unwrap()]);
        let resolver = Rebinding { answers: vec![vec![other, here]], asked: AtomicUsize::new(0) };
        let stream = connect("example.com", here.port(), &resolver, |ip| only_here.check(ip)).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), here);
    }
}
