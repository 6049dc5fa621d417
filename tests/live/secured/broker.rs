//! A real Kafka of the tests' own, with the listeners of `tests/kafka.sh` and `KAFKA_SECURED`.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::given::{Folder, repository};

/// The users that it knows.
pub(super) const USERS: &str =
    "desk whole unseen unread unwritten unlettered ungapped ungrouped uncreated blind";

/// A broker, which is removed with its data when the last test lets it go.
pub(super) struct SecuredBroker {
    folder: Folder,
    address: String,
}

impl SecuredBroker {
    /// The broker that all tests of this process share; started by the first.
    pub(super) fn shared() -> Arc<Self> {
        static RUNNING: Mutex<Weak<SecuredBroker>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let started = Arc::new(Self::start());
            *running = Arc::downgrade(&started);
            started
        })
    }

    fn start() -> Self {
        let folder = Folder::new("secured-broker");
        let started = script(&folder, "start");
        let address = started.trim().to_owned();
        Self { folder, address }
    }

    /// Its address for who may do everything, without a login.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The address of one of its listeners.
    pub(super) fn listener(&self, name: &str) -> String {
        let listeners = self.folder.read("listeners");
        let mut lines = listeners.lines().filter_map(|line| line.split_once(' '));
        let found = lines.find(|(listener, _)| *listener == name);
        found.expect("the script names its listeners").1.to_owned()
    }

    /// A file of its certificates.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path(&format!("tls/{name}"))
    }

    /// Properties for an encrypted connection to it.
    pub(super) fn tls(&self) -> String {
        let authority = self.file("ca.pem");
        format!("\"security.protocol\"=\"SSL\",\"ssl.ca.location\"={authority:?}")
    }

    /// Further properties: the certificate of the user `desk`.
    pub(super) fn client_certificate(&self) -> String {
        let (certificate, key) = (self.file("client.pem"), self.file("client.key"));
        format!("\"ssl.certificate.location\"={certificate:?},\"ssl.key.location\"={key:?}")
    }

    /// Properties for a login. The password is in a file, as a configuration may have it.
    pub(super) fn login(&self, protocol: &str, mechanism: &str, user: &str) -> String {
        let password = self
            .folder
            .write(&format!("{user}.password"), format!("{user}-secret\n"));
        let authority = if protocol == "SASL_SSL" {
            format!("\"ssl.ca.location\"={:?},", self.file("ca.pem"))
        } else {
            String::new()
        };
        format!(
            "{authority}\"security.protocol\"={protocol:?},\"sasl.mechanism\"={mechanism:?},\
             \"sasl.username\"={user:?},\"sasl.password\"=\"file:{}\"",
            password.display()
        )
    }
}

impl Drop for SecuredBroker {
    fn drop(&mut self) {
        script(&self.folder, "clean");
    }
}

/// Runs `tests/kafka.sh` for the broker of this folder, and returns what it prints.
fn script(folder: &Folder, command: &str) -> String {
    let ran = Command::new(repository("tests/kafka.sh"))
        .arg(command)
        .env("KAFKA_DATA", folder.path(""))
        .env("KAFKA_SECURED", "yes")
        .env("KAFKA_USERS", USERS)
        .env("KAFKA_HEAP", "-Xms96m -Xmx256m")
        .output()
        .expect("there is a shell");
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "kafka.sh {command}: {stderr}");
    String::from_utf8_lossy(&ran.stdout).into_owned()
}
