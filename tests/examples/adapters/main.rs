use base64::{engine::general_purpose::STANDARD, Engine};
use futures_lite::future::block_on;
use serde_json::{from_str, from_value, json, Value};
use std::error::Error;
use web_push::{
    ContentEncoding, IsahcWebPushClient, SubscriptionInfo, VapidSignatureBuilder, WebPushClient,
    WebPushError, WebPushMessageBuilder,
};

fn send(client: &IsahcWebPushClient, job: &Value) -> Result<(), Box<dyn Error>> {
    let subscription: SubscriptionInfo = from_value(job["subscription"].clone())?;
    let key = job["vapid"]["private_key_pem"].as_str().unwrap_or_default();
    let mut signature = VapidSignatureBuilder::from_pem(key.as_bytes(), &subscription)?;
    signature.add_claim("sub", job["vapid"]["subject"].clone());

    let payload = job["payload"].as_str().map(|text| STANDARD.decode(text)).transpose()?;
    let mut message = WebPushMessageBuilder::new(&subscription);
    message.set_vapid_signature(signature.build()?);
    message.set_ttl(from_value(job["ttl"].clone())?);
    if let Some(octets) = &payload {
        message.set_payload(ContentEncoding::Aes128Gcm, octets);
    }
    if let Ok(urgency) = from_value(job["urgency"].clone()) {
        message.set_urgency(urgency);
    }
    if let Some(topic) = job["topic"].as_str() {
        message.set_topic(topic.to_string());
    }
    Ok(block_on(client.send(message.build()?))?)
}

fn failure(error: &(dyn Error + 'static)) -> Value {
    use WebPushError::{EndpointNotFound, EndpointNotValid};
    let gone = matches!(error.downcast_ref(), Some(EndpointNotFound(_) | EndpointNotValid(_)));
    json!({"ok": false, "gone": gone, "error": error.to_string()})
}

fn main() -> Result<(), Box<dyn Error>> {
    let client = IsahcWebPushClient::new()?;
    for line in std::io::stdin().lines() {
        let job: Value = from_str(&line?)?;
        let result = match job["op"].as_str() {
            Some("hello") => json!({"name": "my sender", "ops": ["send"]}),
            _ => match send(&client, &job) {
                Ok(()) => json!({"ok": true}),
                Err(error) => failure(error.as_ref()),
            },
        };
        println!("{result}");
    }
    Ok(())
}
