//! Whether the brokers of Kafka let a client in, asked before a run or a check reads anything.
//!
//! librdkafka tries a refused login again and again, and tells the requests that wait for it only that they
//! took too long. Its reports have the cause: they are collected here, and told in words.

pub mod described;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{NoCustomPartitioner, Producer, ProducerContext, ThreadedProducer};
use tracing::debug;

use crate::clock;
use crate::kafka::{Properties, PropertyError, client_config};

/// A client that the brokers have let in. It writes nothing.
pub type LoggedIn = ThreadedProducer<Reports>;

/// Why no client was let in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// A property was refused.
    #[error(transparent)]
    Property(#[from] PropertyError),
    /// librdkafka refuses the settings.
    #[error("while setting up the connection to the brokers `{bootstrap}`: {error}")]
    Setup {
        /// The addresses of the brokers.
        bootstrap: String,
        /// The error of librdkafka.
        error: KafkaError,
    },
    /// They answer, and do not let the client in. It does not help to try again.
    #[error("while logging in to the brokers `{bootstrap}`: {refusal}")]
    Refused {
        /// The addresses of the brokers.
        bootstrap: String,
        /// Why.
        refusal: Refusal,
    },
    /// They let it in, and do not allow it what it needs.
    #[error("while asking the brokers `{bootstrap}` for what the pipeline needs: {}", missing.join("; "))]
    NoRights {
        /// The addresses of the brokers.
        bootstrap: String,
        /// Each right that is missing.
        missing: Vec<String>,
    },
    /// They do not answer, or not so that it can be understood.
    #[error(
        "while connecting to the brokers `{bootstrap}`: {cause}{}",
        hint(cause)
    )]
    NoAnswer {
        /// The addresses of the brokers.
        bootstrap: String,
        /// What librdkafka says of it.
        cause: String,
    },
}

/// Why brokers that answer do not let a client in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// They do not accept the user, the password or the mechanism.
    #[error(
        "they refuse the login ({0}); check `sasl.username`, `sasl.password` and `sasl.mechanism` in \
         [kafka.properties]"
    )]
    Login(String),
    /// No authority that is trusted has signed their certificate.
    #[error(
        "their certificate is not signed by a known authority, or is out of date; name the file with the authority's \
         certificate as `ssl.ca.location` in [kafka.properties]"
    )]
    UnknownAuthority,
    /// Their certificate is for another host.
    #[error(
        "their certificate is for another host name; write the name that the certificate has in `bootstrap`, and let \
         the brokers advertise it"
    )]
    OtherHost,
    /// They want a certificate of the client, and got none that they accept.
    #[error(
        "they ask for a client certificate and accept none of ours ({0}); name it as `ssl.certificate.location` and \
         its key as `ssl.key.location` in [kafka.properties]"
    )]
    ClientCertificate(String),
    /// They speak encrypted where we do not, or the other way round.
    #[error(
        "they do not understand us ({0}); check the port in `bootstrap`, and `security.protocol` in \
         [kafka.properties]"
    )]
    Protocol(String),
    /// The connection cannot be encrypted for another reason.
    #[error(
        "no encrypted connection ({0}); check `security.protocol` and `ssl.*` in [kafka.properties]"
    )]
    Encryption(String),
}

fn hint(cause: &str) -> &'static str {
    if cause.contains("resolve") {
        "; is the host name right?"
    } else {
        "; is the address right and the broker running?"
    }
}

/// Connects, and returns the client once a broker has answered it.
///
/// # Errors
/// [`LoginError`] soon after brokers have refused the client; after `patience` where none answers; and at
/// once where none can be reached, with `only_if_up`, or `is_over` becomes true.
pub fn log_in(
    bootstrap: &str,
    properties: &Properties,
    patience: Duration,
    only_if_up: bool,
    is_over: impl Fn() -> bool,
) -> Result<LoggedIn, LoginError> {
    let setup = |error| LoginError::Setup {
        bootstrap: bootstrap.to_owned(),
        error,
    };
    let mut config = client_config(bootstrap, &[], properties)?;
    // Whatever the log of the process shows: the causes are read from it.
    config.set_log_level(RDKafkaLogLevel::Info);
    let client: LoggedIn = config
        .create_with_context(Reports::default())
        .map_err(setup)?;
    let began = clock::instant();
    let mut refused = None;
    loop {
        let Err(error) = client.client().fetch_metadata(None, STEP) else {
            return Ok(client);
        };
        let report = client.context().report().clone();
        let refused_by = |refusal| LoginError::Refused {
            bootstrap: bootstrap.to_owned(),
            refusal,
        };
        if let Some(refusal) = report.refusal {
            // Another of the brokers may let it in.
            if refused.get_or_insert_with(clock::instant).elapsed() > OTHERS_MAY_ANSWER {
                return Err(refused_by(explained(refusal, bootstrap, properties)));
            }
            continue;
        }
        let is_down = only_if_up && report.all_down && report.mismatch.is_none();
        if began.elapsed() > patience || is_down || is_over() {
            let cause = report.last.unwrap_or_else(|| error.to_string());
            return Err(match report.mismatch {
                Some(mismatch) => refused_by(Refusal::Protocol(mismatch)),
                None => LoginError::NoAnswer {
                    bootstrap: bootstrap.to_owned(),
                    cause,
                },
            });
        }
    }
}

/// What librdkafka has reported of the connections.
#[derive(Default)]
pub struct Reports(Mutex<Report>);

#[derive(Clone, Default)]
struct Report {
    refusal: Option<Refusal>,
    /// A broker hung up as one does that speaks another protocol, but also one that is about to end.
    mismatch: Option<String>,
    last: Option<String>,
    all_down: bool,
}

impl Report {
    /// A connection has failed for this reason.
    fn failed(&mut self, reason: &str) {
        let hung_up =
            reason.contains("Disconnected") && reason.contains("in state APIVERSION_QUERY");
        let is_mismatch = hung_up || reason.contains("PLAINTEXT broker");
        self.mismatch = is_mismatch.then(|| bare(reason).to_owned());
        self.last = Some(bare(reason).to_owned());
    }
}

impl Reports {
    fn report(&self) -> MutexGuard<'_, Report> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Reports {
    fn error(&self, error: KafkaError, reason: &str) {
        debug!(%error, reason, "before the login");
        let mut report = self.report();
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            report.all_down = true;
            return;
        }
        if let Some(refusal) = refusal(error.rdkafka_error_code(), bare(reason)) {
            report.refusal.get_or_insert(refusal);
        }
        report.failed(reason);
    }

    fn log(&self, level: RDKafkaLogLevel, fac: &str, message: &str) {
        debug!(?level, fac, message, "before the login");
        // A connection that the other side closes is logged, but is no error.
        if fac == "FAIL" {
            let message = message.split_once("]: ").map_or(message, |(_, text)| text);
            self.report().failed(message);
        }
    }
}

impl ProducerContext<NoCustomPartitioner> for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

/// What an error says of the brokers' refusal; none where they may only be away.
fn refusal(code: Option<RDKafkaErrorCode>, reason: &str) -> Option<Refusal> {
    match code? {
        RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed => {
            Some(Refusal::Login(reason.to_owned()))
        }
        RDKafkaErrorCode::SSL if reason.contains("certificate verify failed") => {
            Some(Refusal::UnknownAuthority)
        }
        // An alert is what the other side says.
        RDKafkaErrorCode::SSL | RDKafkaErrorCode::BrokerTransportFailure
            if reason.contains("alert") && reason.contains("certificate") =>
        {
            Some(Refusal::ClientCertificate(reason.to_owned()))
        }
        // A listener without encryption, or one that is shutting down, just hangs up.
        RDKafkaErrorCode::SSL if !reason.contains("Disconnected") => {
            Some(Refusal::Encryption(reason.to_owned()))
        }
        _ => None,
    }
}

/// The same refusal; of a certificate that was not accepted it is found out why. OpenSSL reports both causes
/// alike, so a second connection leaves out the comparison of the host's name. It sends no login.
fn explained(refusal: Refusal, bootstrap: &str, properties: &Properties) -> Refusal {
    if refusal != Refusal::UnknownAuthority {
        return refusal;
    }
    let Ok(mut config) = client_config(bootstrap, &[], properties) else {
        return refusal;
    };
    config.set("security.protocol", "SSL");
    config.set("ssl.endpoint.identification.algorithm", "none");
    let Ok(client) = config.create_with_context::<_, LoggedIn>(Reports::default()) else {
        return refusal;
    };
    let began = clock::instant();
    while began.elapsed() < SECOND_LOOK {
        let answered = client.client().fetch_metadata(None, STEP).is_ok();
        let report = client.context().report();
        match &report.refusal {
            Some(Refusal::UnknownAuthority) => return refusal,
            Some(_) => return Refusal::OtherHost,
            // A listener with logins hangs up on a client without one, behind the certificate.
            None if answered || report.last.is_some() => return Refusal::OtherHost,
            None => {}
        }
    }
    refusal
}

/// A reason of librdkafka without the connection in front and its state behind.
fn bare(reason: &str) -> &str {
    let reason = match reason.split_once(": ") {
        Some((connection, rest)) if !connection.contains(' ') && connection.contains('/') => rest,
        _ => reason,
    };
    reason.split(" (after ").next().unwrap_or(reason).trim()
}

const STEP: Duration = Duration::from_millis(250);
/// How long after the first refusal another broker may let the client in.
const OTHERS_MAY_ANSWER: Duration = Duration::from_millis(500);
const SECOND_LOOK: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_without_connection_and_state() {
        assert_eq!(
            bare(
                "sasl_ssl://127.0.0.1:27685/bootstrap: SASL authentication error: no (after 3ms in state AUTH_REQ)"
            ),
            "SASL authentication error: no"
        );
        assert_eq!(
            bare("127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: refused"),
            "Connect to ipv4#127.0.0.1:1 failed: refused"
        );
        assert_eq!(bare("a/b c: no"), "a/b c: no");
    }

    #[test]
    fn brokers_that_are_away_refuse_nothing() {
        let began = clock::instant();
        let patience = Duration::from_secs(30);
        let error = log_in("127.0.0.1:1", &Properties::new(), patience, true, || false).err();
        let error = error.expect("nobody is there").to_string();
        assert!(error.contains("Connection refused"), "{error}");
        assert!(error.contains("the broker running?"), "{error}");
        assert!(began.elapsed() < patience);
    }
}
