//! Gives users rights at the secured broker.

use std::ffi::CString;
use std::ptr;

use rdkafka::admin::AdminClient;
use rdkafka::bindings as rdsys;
use rdkafka::client::DefaultClientContext;
use rdsys::{
    rd_kafka_AclOperation_t as RawOperation, rd_kafka_AclPermissionType_t as Permission,
    rd_kafka_ResourcePatternType_t as Pattern, rd_kafka_ResourceType_t as ResourceType,
};

use super::broker::SecuredBroker;

/// What a right is about.
#[derive(Clone, Copy)]
pub(super) enum Resource<'a> {
    /// The topic of this name.
    Topic(&'a str),
    /// The topics whose names begin like this.
    Topics(&'a str),
    /// The group of this name.
    Group(&'a str),
    /// The groups whose names begin like this.
    Groups(&'a str),
    /// The transactional ids that begin like this.
    Transactions(&'a str),
    /// The cluster.
    Cluster,
}

/// What is allowed.
#[derive(Clone, Copy)]
pub(super) enum Operation {
    Read,
    Write,
    Describe,
    DescribeConfigs,
    Create,
}

/// Gives a user rights, and waits until the broker has them.
#[allow(unsafe_code, reason = "rdkafka does not wrap the rights of Kafka")]
pub(super) fn grant(broker: &SecuredBroker, user: &str, rights: &[(Resource<'_>, Operation)]) {
    let config = foretick::kafka::client_config(broker.address(), &[], &Default::default());
    let client: AdminClient<DefaultClientContext> = config
        .expect("no property is refused")
        .create()
        .expect("a client can be made");
    let client = client.inner().native_ptr();
    let principal = CString::new(format!("User:{user}")).expect("a name");
    for (resource, operation) in rights {
        let (kind, name, pattern) = match resource {
            Resource::Topic(name) => (ResourceType::RD_KAFKA_RESOURCE_TOPIC, *name, false),
            Resource::Topics(name) => (ResourceType::RD_KAFKA_RESOURCE_TOPIC, *name, true),
            Resource::Group(name) => (ResourceType::RD_KAFKA_RESOURCE_GROUP, *name, false),
            Resource::Groups(name) => (ResourceType::RD_KAFKA_RESOURCE_GROUP, *name, true),
            Resource::Transactions(name) => (
                ResourceType::RD_KAFKA_RESOURCE_TRANSACTIONAL_ID,
                *name,
                true,
            ),
            Resource::Cluster => (
                ResourceType::RD_KAFKA_RESOURCE_BROKER,
                "kafka-cluster",
                false,
            ),
        };
        let pattern = if pattern {
            Pattern::RD_KAFKA_RESOURCE_PATTERN_PREFIXED
        } else {
            Pattern::RD_KAFKA_RESOURCE_PATTERN_LITERAL
        };
        let operation = match operation {
            Operation::Read => RawOperation::RD_KAFKA_ACL_OPERATION_READ,
            Operation::Write => RawOperation::RD_KAFKA_ACL_OPERATION_WRITE,
            Operation::Describe => RawOperation::RD_KAFKA_ACL_OPERATION_DESCRIBE,
            Operation::DescribeConfigs => RawOperation::RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS,
            Operation::Create => RawOperation::RD_KAFKA_ACL_OPERATION_CREATE,
        };
        let name = CString::new(name).expect("a name");
        // SAFETY: the client lives until the end of the function, and what is made here is destroyed once.
        let error = unsafe {
            let binding = rdsys::rd_kafka_AclBinding_new(
                kind,
                name.as_ptr(),
                pattern,
                principal.as_ptr(),
                c"*".as_ptr(),
                operation,
                Permission::RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW,
                ptr::null_mut(),
                0,
            );
            assert!(!binding.is_null(), "a right is well-formed");
            let queue = rdsys::rd_kafka_queue_new(client);
            let mut bindings = [binding];
            rdsys::rd_kafka_CreateAcls(client, bindings.as_mut_ptr(), 1, ptr::null(), queue);
            let event = rdsys::rd_kafka_queue_poll(queue, 30_000);
            assert!(!event.is_null(), "the broker answers");
            let error = rdsys::rd_kafka_event_error(event);
            rdsys::rd_kafka_event_destroy(event);
            rdsys::rd_kafka_queue_destroy(queue);
            rdsys::rd_kafka_AclBinding_destroy(binding);
            error
        };
        assert_eq!(
            error,
            rdsys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR
        );
    }
}
