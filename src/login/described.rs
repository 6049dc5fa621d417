//! What the brokers say of topics and groups, and what this login may do with them.
//!
//! rdkafka wraps neither question, so that librdkafka is called here: this file alone, and only to ask.
#![allow(unsafe_code, reason = "rdkafka does not wrap these requests")]

use std::ffi::{CStr, CString, c_char, c_int};
use std::slice;
use std::time::Duration;

use rdkafka::bindings as rdsys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::RDKafkaRespErr;

/// What may be done with a topic or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerRight {
    /// To read a topic, or to join a group.
    Read,
    /// To write a topic.
    Write,
    /// One that a pipeline does not need.
    Other,
}

/// What the brokers say of a topic or a group.
#[derive(Clone, Debug)]
pub struct Described {
    /// The topic or group.
    pub name: String,
    /// Why they say no more.
    pub error: Option<RDKafkaErrorCode>,
    /// The partitions of a topic.
    pub partitions: usize,
    /// What this login may do; none where the brokers do not say.
    pub allowed: Option<Vec<BrokerRight>>,
}

impl Described {
    /// Whether this login may do it; where the brokers do not say, it may.
    #[must_use]
    pub fn allows(&self, operation: BrokerRight) -> bool {
        let allowed = self.allowed.as_ref();
        allowed.is_none_or(|allowed| allowed.contains(&operation))
    }
}

/// That a right is missing, and how it is given. `kind` is `topic`, `group` or `transactional-id`.
#[must_use]
pub fn no_right(operation: &str, kind: &str, name: &str) -> String {
    // One right for all instances of a group: their ids differ in what is behind the last dash.
    let (granted, prefixed) = match (kind, name.rsplit_once('-')) {
        ("transactional-id", Some((group, _))) => {
            (format!("{group}-"), " --resource-pattern-type prefixed")
        }
        _ => (name.to_owned(), ""),
    };
    format!(
        "no right {operation} on {} `{name}`; give it: kafka-acls --add --allow-principal User:NAME --operation \
         {operation} --{kind} {granted}{prefixed}",
        kind.replace('-', " ")
    )
}

/// Asks for topics. Creates none.
///
/// # Errors
/// The brokers' error, or that they did not answer in time.
pub fn topics<C: ClientContext>(
    client: &Client<C>,
    names: &[String],
    timeout: Duration,
) -> Result<Vec<Described>, RDKafkaErrorCode> {
    let names = c_strings(names)?;
    let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    let client = client.native_ptr();
    // SAFETY: the names outlive the collection, which librdkafka copies into its request; the collection is
    // destroyed once, and not used after that.
    let event = unsafe {
        let all =
            rdsys::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
        let kind = rdsys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
        let event = AdminAnswer::of(client, kind, timeout, |options, queue| {
            rdsys::rd_kafka_DescribeTopics(client, all, options, queue);
        });
        rdsys::rd_kafka_TopicCollection_destroy(all);
        event?
    };
    // SAFETY: the event is a result of DescribeTopics, without an error, and lives until the end of the
    // function; what is read from it is copied.
    unsafe {
        let result = rdsys::rd_kafka_event_DescribeTopics_result(event.0);
        let mut count = 0;
        let found = rdsys::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        let describe = |&topic: &*const rdsys::rd_kafka_TopicDescription_t| {
            let (mut operations, mut partitions) = (0, 0);
            rdsys::rd_kafka_TopicDescription_partitions(topic, &raw mut partitions);
            let allowed =
                rdsys::rd_kafka_TopicDescription_authorized_operations(topic, &raw mut operations);
            Described {
                name: text(rdsys::rd_kafka_TopicDescription_name(topic)),
                error: code(rdsys::rd_kafka_TopicDescription_error(topic)),
                partitions,
                allowed: operations_of(allowed, operations),
            }
        };
        Ok(array(found, count).iter().map(describe).collect())
    }
}

/// Asks for a consumer group. One that does not exist yet is described too.
///
/// # Errors
/// The brokers' error, or that they did not answer in time.
pub fn group<C: ClientContext>(
    client: &Client<C>,
    name: &str,
    timeout: Duration,
) -> Result<Described, RDKafkaErrorCode> {
    let names = c_strings(&[name.to_owned()])?;
    let mut pointer = names[0].as_ptr();
    let client = client.native_ptr();
    // SAFETY: the name outlives the call, in which librdkafka copies it.
    let event = unsafe {
        let kind = rdsys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS;
        AdminAnswer::of(client, kind, timeout, |options, queue| {
            rdsys::rd_kafka_DescribeConsumerGroups(client, &raw mut pointer, 1, options, queue);
        })?
    };
    // SAFETY: the event is a result of DescribeConsumerGroups, without an error, and lives until the end of
    // the function; what is read from it is copied.
    unsafe {
        let result = rdsys::rd_kafka_event_DescribeConsumerGroups_result(event.0);
        let mut count = 0;
        let found = rdsys::rd_kafka_DescribeConsumerGroups_result_groups(result, &raw mut count);
        let &[group] = array(found, count) else {
            return Err(RDKafkaErrorCode::BadMessage);
        };
        let mut operations = 0;
        let allowed = rdsys::rd_kafka_ConsumerGroupDescription_authorized_operations(
            group,
            &raw mut operations,
        );
        Ok(Described {
            name: name.to_owned(),
            error: code(rdsys::rd_kafka_ConsumerGroupDescription_error(group)),
            partitions: 0,
            allowed: operations_of(allowed, operations),
        })
    }
}

/// The answer to a request, destroyed with this.
struct AdminAnswer(*mut rdsys::rd_kafka_event_t);

impl AdminAnswer {
    /// Sends a request that asks for rights too, and waits for its answer.
    ///
    /// # Safety
    /// `client` is alive, and `send` sends one request of this kind to the queue that it is given.
    unsafe fn of(
        client: *mut rdsys::rd_kafka_t,
        kind: rdsys::rd_kafka_admin_op_t,
        timeout: Duration,
        send: impl FnOnce(*const rdsys::rd_kafka_AdminOptions_t, *mut rdsys::rd_kafka_queue_t),
    ) -> Result<Self, RDKafkaErrorCode> {
        let timeout = c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX);
        // SAFETY: options and queue are made here, and destroyed once, after librdkafka has answered or its
        // time has passed; it keeps what it still needs of them.
        let event = unsafe {
            let options = rdsys::rd_kafka_AdminOptions_new(client, kind);
            let queue = rdsys::rd_kafka_queue_new(client);
            rdsys::rd_kafka_AdminOptions_set_request_timeout(
                options,
                timeout,
                std::ptr::null_mut(),
                0,
            );
            let refused =
                rdsys::rd_kafka_AdminOptions_set_include_authorized_operations(options, 1);
            if !refused.is_null() {
                rdsys::rd_kafka_error_destroy(refused);
            }
            send(options, queue);
            // librdkafka answers by itself when the time has passed; a little later nothing will come.
            let event = rdsys::rd_kafka_queue_poll(queue, timeout.saturating_add(GRACE_MS));
            rdsys::rd_kafka_queue_destroy(queue);
            rdsys::rd_kafka_AdminOptions_destroy(options);
            event
        };
        if event.is_null() {
            return Err(RDKafkaErrorCode::OperationTimedOut);
        }
        let event = Self(event);
        // SAFETY: the event is not null, and alive.
        match unsafe { rdsys::rd_kafka_event_error(event.0) } {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(event),
            error => Err(error.into()),
        }
    }
}

impl Drop for AdminAnswer {
    fn drop(&mut self) {
        // SAFETY: nobody else destroys it.
        unsafe { rdsys::rd_kafka_event_destroy(self.0) };
    }
}

fn c_strings(names: &[String]) -> Result<Vec<CString>, RDKafkaErrorCode> {
    let names = names.iter().map(|name| CString::new(name.as_str()));
    let names: Result<_, _> = names.collect();
    names.map_err(|_| RDKafkaErrorCode::InvalidArgument)
}

/// An array of librdkafka; empty where it is null.
///
/// # Safety
/// It holds `count` values that live as long as the result is used.
unsafe fn array<'a, T>(first: *const T, count: usize) -> &'a [T] {
    if first.is_null() {
        return &[];
    }
    // SAFETY: as the caller promises.
    unsafe { slice::from_raw_parts(first, count) }
}

/// # Safety
/// `text` is null or ends in a zero.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: as the caller promises.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_string_lossy().into_owned()
}

/// # Safety
/// `error` is null or an error that is alive.
unsafe fn code(error: *const rdsys::rd_kafka_error_t) -> Option<RDKafkaErrorCode> {
    // SAFETY: as the caller promises; a null pointer is no error.
    match unsafe { rdsys::rd_kafka_error_code(error) } {
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => None,
        error => Some(error.into()),
    }
}

/// The operations of an array; none where it is null, which means that the brokers did not say.
///
/// # Safety
/// As of [`array`].
unsafe fn operations_of(
    first: *const rdsys::rd_kafka_AclOperation_t,
    count: usize,
) -> Option<Vec<BrokerRight>> {
    use rdsys::rd_kafka_AclOperation_t as Raw;
    if first.is_null() {
        return None;
    }
    // As numbers, because a newer broker may know more operations than the enum has.
    // SAFETY: as the caller promises; the enum is a number of 32 bits.
    let all = unsafe { array(first.cast::<u32>(), count) };
    let operation = |&number: &u32| match number {
        read if read == Raw::RD_KAFKA_ACL_OPERATION_READ as u32 => BrokerRight::Read,
        write if write == Raw::RD_KAFKA_ACL_OPERATION_WRITE as u32 => BrokerRight::Write,
        _ => BrokerRight::Other,
    };
    Some(all.iter().map(operation).collect())
}

const GRACE_MS: c_int = 1_000;
