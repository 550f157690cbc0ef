import { createInterface } from "node:readline";
import webPush from "web-push";

async function answer({ op, subscription, payload, ttl, urgency, topic, vapid }) {
  if (op === "hello") return { name: "my sender", ops: ["send"] };
  const { subject, public_key: publicKey, private_key: privateKey } = vapid;
  const options = { vapidDetails: { subject, publicKey, privateKey }, TTL: ttl, timeout: 5000 };
  if (urgency) options.urgency = urgency;
  if (topic) options.topic = topic;
  try {
    const data = payload && Buffer.from(payload, "base64");
    const { statusCode } = await webPush.sendNotification(subscription, data, options);
    return { ok: true, status: statusCode };
  } catch ({ message, statusCode, body }) {
    return { ok: false, status: statusCode, error: body || message };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
