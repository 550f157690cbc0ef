import base64
import json
import sys

from pywebpush import webpush


def answer(job):
    if job["op"] == "hello":
        return {"name": "my sender", "ops": ["send"]}
    asked = {"Urgency": job["urgency"], "Topic": job["topic"]}
    try:
        response = webpush(
            job["subscription"],
            job["payload"] and base64.b64decode(job["payload"]),
            vapid_private_key=job["vapid"]["private_key"],
            vapid_claims={"sub": job["vapid"]["subject"]},
            ttl=job["ttl"],
            headers={name: value for name, value in asked.items() if value},
            timeout=5,
        )
    except Exception as error:
        return {"ok": False, "status": getattr(error, "status_code", None), "error": str(error)}
    return {"ok": True, "status": response.status_code}


if __name__ == "__main__":
    print(json.dumps(answer(json.load(sys.stdin))))
