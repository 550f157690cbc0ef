//! The crate web-push as a sender: a message as its README builds it, sent with its own client.

use std::error::Error;
use std::io::{stdin, stdout, Write};

use base64::{engine::general_purpose::STANDARD, Engine};
use futures_lite::future::block_on;
use serde::Deserialize;
use serde_json::{json, Deserializer, Value};
use web_push::{
    ContentEncoding, IsahcWebPushClient, SubscriptionInfo, Urgency, VapidSignatureBuilder,
    WebPushClient, WebPushError, WebPushMessageBuilder,
};

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Job {
    Hello,
    Send(Push),
}

#[derive(Deserialize)]
struct Push {
    subscription: SubscriptionInfo,
    payload: Option<String>,
    ttl: i64,
    urgency: Option<Urgency>,
    topic: Option<String>,
    vapid: Vapid,
}

#[derive(Deserialize)]
struct Vapid {
    subject: String,
    private_key_pem: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let client = IsahcWebPushClient::new()?;
    for job in Deserializer::from_reader(stdin().lock()).into_iter() {
        let result = match job? {
            Job::Hello => hello(),
            Job::Send(push) => send(&client, &push)?,
        };
        writeln!(stdout(), "{result}")?;
    }
    Ok(())
}

fn hello() -> Value {
    json!({
        "name": "web-push",
        "version": env!("CARGO_PKG_VERSION"),
        "ops": ["send"],
        "language": "Rust",
    })
}

fn send(client: &IsahcWebPushClient, push: &Push) -> Result<Value, Box<dyn Error>> {
    let payload = push
        .payload
        .as_ref()
        .map(|text| STANDARD.decode(text))
        .transpose()?;
    Ok(match deliver(client, push, payload.as_deref()) {
        Ok(()) => json!({"ok": true}),
        Err(error) => failure(&error),
    })
}

fn deliver(
    client: &IsahcWebPushClient,
    push: &Push,
    payload: Option<&[u8]>,
) -> Result<(), WebPushError> {
    let key = push.vapid.private_key_pem.as_bytes();
    let mut signature = VapidSignatureBuilder::from_pem(key, &push.subscription)?;
    signature.add_claim("sub", push.vapid.subject.as_str());

    let mut message = WebPushMessageBuilder::new(&push.subscription);
    message.set_ttl(push.ttl.try_into().map_err(|_| WebPushError::InvalidTtl)?);
    message.set_vapid_signature(signature.build()?);
    if let Some(content) = payload {
        message.set_payload(ContentEncoding::Aes128Gcm, content);
    }
    if let Some(urgency) = push.urgency {
        message.set_urgency(urgency);
    }
    if let Some(topic) = &push.topic {
        message.set_topic(topic.clone());
    }
    block_on(client.send(message.build()?))
}

/// What the kind of the error says; the status is part of what some kinds tell of the answer.
fn failure(error: &WebPushError) -> Value {
    use WebPushError::*;
    let told = match error {
        Unauthorized(info) | BadRequest(info) | NotImplemented(info) | Other(info) => Some(info),
        EndpointNotValid(info) | EndpointNotFound(info) => Some(info),
        ServerError { info, .. } => Some(info),
        _ => None,
    };
    let wait = match error {
        ServerError { retry_after, .. } => retry_after.map(|pause| pause.as_secs_f64()),
        _ => None,
    };
    json!({
        "ok": false,
        "status": told.map(|info| info.code),
        "gone": matches!(error, EndpointNotValid(_) | EndpointNotFound(_)),
        "retry_after": wait,
        "error": error.to_string(),
    })
}
