//! A TCP proxy before a broker: it delays what passes or slows it down, resets connections, and refuses them.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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
    /// Bytes a second that a connection takes to the broker; 0: as they come.
    rate: AtomicU64,
    is_cut: AtomicBool,
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
            rate: AtomicU64::new(0),
            is_cut: AtomicBool::new(false),
            resets: AtomicU64::new(0),
        })
    }

    /// Passes connections on to this address.
    pub(crate) fn serve(self: &Arc<Self>, broker: String) {
        let proxy = Arc::clone(self);
        thread::spawn(move || {
            while let Ok((client, _)) = proxy.listener.accept() {
                if proxy.is_cut.load(Ordering::Relaxed) {
                    drop(client.shutdown(Shutdown::Both));
                    continue;
                }
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

    /// A connection takes so many bytes a second to the broker; 0: as they come.
    pub(crate) fn slow_down(&self, rate: u64) {
        self.rate.store(rate, Ordering::Relaxed);
    }

    /// The broker is away, or comes back.
    pub(crate) fn cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::Relaxed);
        if is_cut {
            self.reset();
        }
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
            (client.try_clone(), server.try_clone(), true),
            (Ok(server), Ok(client), false),
        ];
        for (from, to, is_to_broker) in halves {
            let (from, to) = (from.expect("a clone"), to.expect("a clone"));
            let proxy = Arc::clone(self);
            thread::spawn(move || proxy.pass(from, to, is_to_broker));
        }
    }

    fn pass(&self, mut from: TcpStream, mut to: TcpStream, is_to_broker: bool) {
        let mut bytes = vec![0; 64 << 10];
        loop {
            let rate = match is_to_broker {
                true => self.rate.load(Ordering::Relaxed),
                false => 0,
            };
            let most = if rate > 0 { 1 << 10 } else { bytes.len() };
            let Ok(read @ 1..) = from.read(&mut bytes[..most]) else {
                break;
            };
            if rate > 0 {
                thread::sleep(Duration::from_secs_f64(read as f64 / rate as f64));
            }
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
