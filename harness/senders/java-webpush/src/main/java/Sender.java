import com.google.gson.Gson;
import com.google.gson.annotations.SerializedName;
import com.interaso.webpush.VapidKeys;
import com.interaso.webpush.WebPush.SubscriptionState;
import com.interaso.webpush.WebPush.Urgency;
import com.interaso.webpush.WebPushService;
import com.interaso.webpush.WebPushStatusException;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** com.interaso:webpush as a sender: a WebPushService for each key pair, nothing around it. */
public class Sender {
    record Keys(String p256dh, String auth) {}

    record Subscription(String endpoint, Keys keys) {}

    record Vapid(
            String subject,
            @SerializedName("public_key") String publicKey,
            @SerializedName("private_key") String privateKey) {}

    record Job(
            String op,
            Subscription subscription,
            String payload,
            long ttl,
            String urgency,
            String topic,
            Vapid vapid) {}

    private static final Gson JSON = new Gson();
    private static final Map<Vapid, WebPushService> SERVICES = new HashMap<>();

    public static void main(String[] arguments) {
        var input = new InputStreamReader(System.in, StandardCharsets.UTF_8);
        var output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        var jobs = new BufferedReader(input).lines().map(line -> JSON.fromJson(line, Job.class));
        jobs.forEach(job -> output.println(JSON.toJson(answer(job))));
    }

    private static Map<String, Object> answer(Job job) {
        if (job.op.equals("hello")) {
            return hello();
        }
        return job.payload == null ? Map.of("unsupported", "payload") : send(job);
    }

    private static Map<String, Object> hello() {
        return Map.of(
                "name", "com.interaso:webpush",
                "version", version(),
                "ops", List.of("send"),
                "language", "Java");
    }

    private static Map<String, Object> send(Job job) {
        try {
            var state = deliver(job);
            boolean gone = state == SubscriptionState.EXPIRED;
            return Map.of("ok", !gone, "gone", gone);
        } catch (Exception error) { // Kotlin declares nothing of what it throws
            return failure(error);
        }
    }

    private static Map<String, Object> failure(Exception error) {
        if (error instanceof WebPushStatusException answer) {
            var status = answer.getStatusCode();
            return Map.of("ok", false, "status", status, "error", answer.getMessage());
        }
        return Map.of("ok", false, "error", error.toString());
    }

    private static SubscriptionState deliver(Job job) {
        var base64url = Base64.getUrlDecoder();
        return SERVICES.computeIfAbsent(job.vapid, Sender::service)
                .send(
                        Base64.getDecoder().decode(job.payload),
                        job.subscription.endpoint,
                        base64url.decode(job.subscription.keys.p256dh),
                        base64url.decode(job.subscription.keys.auth),
                        Math.toIntExact(job.ttl),
                        job.topic,
                        urgency(job.urgency));
    }

    private static WebPushService service(Vapid vapid) {
        var keys = VapidKeys.fromUncompressedBytes(vapid.publicKey, vapid.privateKey);
        return new WebPushService(vapid.subject, keys);
    }

    /** "very-low" is VeryLow. */
    private static Urgency urgency(String name) {
        if (name == null) {
            return null;
        }
        var wanted = name.replace("-", "");
        var all = Arrays.stream(Urgency.values());
        return all.filter(each -> each.name().equalsIgnoreCase(wanted)).findFirst().orElseThrow();
    }

    /** That of its jar's name: its manifest has none. */
    private static String version() {
        var source = WebPushService.class.getProtectionDomain().getCodeSource();
        return source.getLocation().getPath().replaceAll(".*/webpush-|\\.jar$", "");
    }
}
