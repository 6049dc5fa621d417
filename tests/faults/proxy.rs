//! A TCP proxy before a broker: it delays what passes, and resets connections.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// The proxy; its threads end with the process.
pub(crate) struct Proxy {
    pub(crate) address: String,
    listener: TcpListener,
    /// Both ends of each connection.
    connections: Mutex<Vec<TcpStream>>,
    delay_ms: AtomicU64,
    pub(crate) resets: AtomicU64,
}

impl Proxy {
    /// Takes a port.
    pub(crate) fn listen() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        Arc::new(Self {
            address: address.to_string(),
            listener,
            connections: Mutex::default(),
            delay_ms: AtomicU64::new(0),
            resets: AtomicU64::new(0),
        })
    }

    /// Passes connections on to this address.
    pub(crate) fn serve(self: &Arc<Self>, broker: String) {
        let proxy = Arc::clone(self);
        thread::spawn(move || {
            while let Ok((client, _)) = proxy.listener.accept() {
                // A broker that is down refuses: so does the proxy.
                let Ok(server) = TcpStream::connect(&broker) else {
                    drop(client.shutdown(Shutdown::Both));
                    continue;
                };
                proxy.join(client, server);
            }
        });
    }

    /// What passes waits so long.
    pub(crate) fn delay(&self, delay: Duration) {
        self.delay_ms
            .store(delay.as_millis() as u64, Ordering::Relaxed);
    }

    /// Ends all connections, wherever in a message they are.
    pub(crate) fn reset(&self) {
        let mut connections = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.resets
            .fetch_add(connections.len() as u64 / 2, Ordering::Relaxed);
        for connection in connections.drain(..) {
            drop(connection.shutdown(Shutdown::Both));
        }
    }

    fn join(self: &Arc<Self>, client: TcpStream, server: TcpStream) {
        let both = [&client, &server].map(|one| one.try_clone().expect("a socket can be cloned"));
        for one in [&client, &server] {
            one.set_nodelay(true).expect("a socket has this option");
        }
        let mut connections = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        connections.retain(|one| one.peer_addr().is_ok());
        connections.extend(both);
        drop(connections);
        let halves = [
            (client.try_clone(), server.try_clone()),
            (Ok(server), Ok(client)),
        ];
        for (from, to) in halves {
            let (from, to) = (from.expect("a clone"), to.expect("a clone"));
            let proxy = Arc::clone(self);
            thread::spawn(move || proxy.pass(from, to));
        }
    }

    fn pass(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut bytes = vec![0; 64 << 10];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            let delay = self.delay_ms.load(Ordering::Relaxed);
            if delay > 0 {
                thread::sleep(Duration::from_millis(delay));
            }
            if to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        drop(from.shutdown(Shutdown::Both));
        drop(to.shutdown(Shutdown::Both));
    }
}
