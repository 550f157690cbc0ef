import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.interaso.webpush.VapidKeys;
import com.interaso.webpush.WebPush;
import com.interaso.webpush.WebPushService;
import com.interaso.webpush.WebPushStatusException;
import java.util.Base64;
import java.util.Scanner;

public class Sender {
    static String answer(JsonObject job) {
        if (job.get("op").getAsString().equals("hello"))
            return "{\"name\": \"my sender\", \"ops\": [\"send\"]}";
        if (job.get("payload").isJsonNull()) return "{\"unsupported\": \"payload\"}";
        if (!job.get("urgency").isJsonNull()) return "{\"unsupported\": \"urgency\"}";
        var vapid = job.getAsJsonObject("vapid");
        var pair = VapidKeys.fromUncompressedBytes(text(vapid, "public_key"), text(vapid, "private_key"));
        var subscription = job.getAsJsonObject("subscription");
        var keys = subscription.getAsJsonObject("keys");
        var decoder = Base64.getUrlDecoder();
        var result = new JsonObject();
        try {
            var state = new WebPushService(text(vapid, "subject"), pair).send(
                    Base64.getDecoder().decode(text(job, "payload")), text(subscription, "endpoint"),
                    decoder.decode(text(keys, "p256dh")), decoder.decode(text(keys, "auth")),
                    job.get("ttl").getAsInt(), text(job, "topic"), null);
            boolean gone = state == WebPush.SubscriptionState.EXPIRED;
            result.addProperty("ok", !gone);
            result.addProperty("gone", gone);
        } catch (Exception error) {
            result.addProperty("ok", false);
            result.addProperty("error", error.toString());
            if (error instanceof WebPushStatusException refusal)
                result.addProperty("status", refusal.getStatusCode());
        }
        return result.toString();
    }

    static String text(JsonObject object, String name) {
        return object.get(name).isJsonNull() ? null : object.get(name).getAsString();
    }

    public static void main(String[] arguments) {
        for (var jobs = new Scanner(System.in, "UTF-8"); jobs.hasNextLine(); )
            System.out.println(answer(JsonParser.parseString(jobs.nextLine()).getAsJsonObject()));
    }
}
