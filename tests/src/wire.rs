//! The network between one host and its database, which can be cut.
//!
//! What is on its way when it is cut arrives once it is mended, as on a real network: late, and perhaps no longer welcome.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// A way to a server, gone with its test.
#[derive(Debug)]
pub struct Wire {
    /// The database's address at this end.
    pub url: String,
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Now {
    #[default]
    Whole,
    Cut,
    Gone,
}

impl Wire {
    /// A way to the database of this address: `postgres://USER@HOST:PORT/NAME`.
    ///
    /// # Panics
    ///
    /// Where there is no port or no such server.
    pub fn to(url: &str) -> Self {
        let authority = url.find("://").map_or(0, |at| at + 3);
        let start = url[authority..].find('@').map_or(authority, |at| authority + at + 1);
        let end = url[start..].find('/').map_or(url.len(), |at| start + at);
        let server = url[start..end].to_socket_addrs().expect("HOST:PORT").next().expect("an address");
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            while let Ok((near, _)) = listener.accept() {
                if !shared.pass() {
                    return;
                }
                // A server that is not there closes the connection.
                let Ok(far) = TcpStream::connect(server) else { continue };
                let _ = near.set_nodelay(true).and_then(|()| far.set_nodelay(true));
                let (Ok(near_too), Ok(far_too)) = (near.try_clone(), far.try_clone()) else { continue };
                let (there, back) = (Arc::clone(&shared), Arc::clone(&shared));
                std::thread::spawn(move || there.carry(near, far));
                std::thread::spawn(move || back.carry(far_too, near_too));
            }
        });
        Self { url: format!("{}{address}{}", &url[..start], &url[end..]), address, state }
    }

    /// Nothing passes any more, in either direction; nobody is told.
    pub fn cut(&self) {
        self.state.set(Now::Cut);
    }

    /// Everything passes again, and what was held up.
    pub fn mend(&self) {
        self.state.set(Now::Whole);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.state.set(Now::Gone);
        // Wakes who listens.
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    fn set(&self, now: Now) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
        self.changed.notify_all();
    }

    /// Waits while the wire is cut; whether it is there still.
    fn pass(&self) -> bool {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.changed.wait_while(now, |now| *now == Now::Cut).unwrap_or_else(PoisonError::into_inner);
        *now != Now::Gone
    }

    fn carry(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length) = from.read(&mut buffer) {
            if !self.pass() || length == 0 || to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }
}
