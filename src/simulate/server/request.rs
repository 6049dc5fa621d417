//! Requests of clients on a websocket, and the answers: subscriptions and the `combined` property.
//!
//! Like the venue, accepts names of streams that do not exist; they stay silent.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::error::Category;

/// The streams that one connection subscribes to, and the form of their messages.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Subscriptions {
    /// Messages come as `{"stream":…,"data":…}` rather than bare.
    pub(super) combined: bool,
    /// In the order of the requests, each once.
    streams: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Request {
    method: Method,
    #[serde(default)]
    params: Option<Vec<Value>>,
    #[serde(default)]
    id: Value,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Method {
    Subscribe,
    Unsubscribe,
    ListSubscriptions,
    SetProperty,
    GetProperty,
}

#[derive(Debug, Serialize)]
struct RequestAnswer {
    result: Value,
    id: Value,
}

#[derive(Debug, Serialize)]
struct RequestRefusal {
    code: u8,
    msg: String,
    #[serde(skip_serializing_if = "Value::is_null")]
    id: Value,
}

impl Subscriptions {
    /// Subscribes to these names from the start.
    pub(super) fn new(combined: bool, names: &str) -> Self {
        let mut new = Self {
            combined,
            streams: Vec::new(),
        };
        let names = names.split('/').filter(|name| !name.is_empty());
        names.for_each(|name| new.add(name));
        new
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.streams.iter().any(|stream| stream == name)
    }

    /// Carries out a client's request; returns the text of the answer.
    pub(super) fn answer(&mut self, text: &str) -> String {
        match read(text).and_then(|request| self.perform(request)) {
            Ok(answer) => to_json(&answer),
            Err(refusal) => to_json(&refusal),
        }
    }

    fn perform(&mut self, request: Request) -> Result<RequestAnswer, RequestRefusal> {
        let Request { method, params, id } = request;
        let params = params.unwrap_or_default();
        let result = match method {
            Method::Subscribe => {
                names(&params)?.into_iter().for_each(|name| self.add(name));
                Value::Null
            }
            Method::Unsubscribe => {
                let names = names(&params)?;
                self.streams.retain(|s| !names.contains(&s.as_str()));
                Value::Null
            }
            Method::ListSubscriptions => self.streams.iter().cloned().collect(),
            Method::SetProperty => self.set_property(&params, &id)?,
            Method::GetProperty => {
                property(&params, &id)?;
                Value::Bool(self.combined)
            }
        };
        Ok(RequestAnswer { result, id })
    }

    fn set_property(&mut self, params: &[Value], id: &Value) -> Result<Value, RequestRefusal> {
        property(params, id)?;
        let value = params.get(1).and_then(Value::as_bool);
        self.combined = value.ok_or_else(|| refusal(1, "Invalid value type: expected Boolean"))?;
        Ok(Value::Null)
    }

    fn add(&mut self, name: &str) {
        if !self.contains(name) {
            self.streams.push(name.to_owned());
        }
    }
}

fn read(text: &str) -> Result<Request, RequestRefusal> {
    let request: Request = serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data => refusal(2, format!("Invalid request: {error}")),
        Category::Syntax | Category::Eof | Category::Io => {
            refusal(3, format!("Invalid JSON: {error}"))
        }
    })?;
    if request.id.is_u64() || request.id.is_string() || request.id.is_null() {
        Ok(request)
    } else {
        let msg = "Invalid request: request ID must be an unsigned integer";
        Err(refusal(2, msg))
    }
}

fn names(params: &[Value]) -> Result<Vec<&str>, RequestRefusal> {
    let names: Option<Vec<&str>> = params.iter().map(Value::as_str).collect();
    names.ok_or_else(|| refusal(2, "Invalid request: stream names must be strings"))
}

/// There is one property.
fn property(params: &[Value], id: &Value) -> Result<(), RequestRefusal> {
    match params.first().map(Value::as_str) {
        Some(Some("combined")) => Ok(()),
        Some(Some(_)) => Err(RequestRefusal {
            id: id.clone(),
            ..refusal(0, "Unknown property")
        }),
        _ => Err(refusal(
            2,
            "Invalid request: property name must be a string",
        )),
    }
}

fn refusal(code: u8, msg: impl Into<String>) -> RequestRefusal {
    let (msg, id) = (msg.into(), Value::Null);
    RequestRefusal { code, msg, id }
}

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("strings, numbers and null can be written as JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_answered_as_the_venue_does() {
        let mut subscriptions = Subscriptions::new(false, "btcusdt@trade");
        for (text, answer) in [
            (
                r#"{"method":"SUBSCRIBE","params":["btcusdt@aggTrade","btcusdt@trade"],"id":1}"#,
                r#"{"result":null,"id":1}"#,
            ),
            (
                r#"{"method":"LIST_SUBSCRIPTIONS","id":"a"}"#,
                r#"{"result":["btcusdt@trade","btcusdt@aggTrade"],"id":"a"}"#,
            ),
            (
                r#"{"method":"UNSUBSCRIBE","params":["btcusdt@trade"],"id":312}"#,
                r#"{"result":null,"id":312}"#,
            ),
            (
                r#"{"method":"LIST_SUBSCRIPTIONS","id":3}"#,
                r#"{"result":["btcusdt@aggTrade"],"id":3}"#,
            ),
            (
                r#"{"method":"SET_PROPERTY","params":["combined",true],"id":5}"#,
                r#"{"result":null,"id":5}"#,
            ),
            (
                r#"{"method":"GET_PROPERTY","params":["combined"],"id":2}"#,
                r#"{"result":true,"id":2}"#,
            ),
        ] {
            assert_eq!(subscriptions.answer(text), answer, "{text}");
        }
    }

    #[test]
    fn bad_requests_are_refused_as_the_venue_does() {
        let mut subscriptions = Subscriptions::default();
        for (text, answer) in [
            (
                "hello",
                r#"{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}"#,
            ),
            (
                r#"{"params":["btcusdt@trade"],"id":1}"#,
                r#"{"code":2,"msg":"Invalid request: missing field `method` at line 1 column 35"}"#,
            ),
            (
                r#"{"method":"BUY","id":1}"#,
                r#"{"code":2,"msg":"Invalid request: unknown variant `BUY`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY` at line 1 column 15"}"#,
            ),
            (
                r#"{"method":"SUBSCRIBE","params":[],"id":-1}"#,
                r#"{"code":2,"msg":"Invalid request: request ID must be an unsigned integer"}"#,
            ),
            (
                r#"{"method":"GET_PROPERTY","params":["colour"],"id":1}"#,
                r#"{"code":0,"msg":"Unknown property","id":1}"#,
            ),
            (
                r#"{"method":"SET_PROPERTY","params":["combined",1],"id":1}"#,
                r#"{"code":1,"msg":"Invalid value type: expected Boolean"}"#,
            ),
        ] {
            assert_eq!(subscriptions.answer(text), answer, "{text}");
        }
        assert_eq!(subscriptions, Subscriptions::default());
    }
}
