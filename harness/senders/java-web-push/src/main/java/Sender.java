import com.google.gson.Gson;
import com.google.gson.annotations.SerializedName;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Security;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import nl.martijndwars.webpush.Notification;
import nl.martijndwars.webpush.PushService;
import nl.martijndwars.webpush.Urgency;
import org.apache.http.HttpResponse;
import org.apache.http.util.EntityUtils;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/** nl.martijndwars:web-push as a sender: PushService.send, and what the response says. */
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
    private static final byte[] NO_PAYLOAD = {};

    public static void main(String[] arguments) {
        Security.addProvider(new BouncyCastleProvider());
        var input = new InputStreamReader(System.in, StandardCharsets.UTF_8);
        var output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        var jobs = new BufferedReader(input).lines().map(line -> JSON.fromJson(line, Job.class));
        jobs.forEach(job -> output.println(JSON.toJson(answer(job))));
    }

    private static Map<String, Object> answer(Job job) {
        return job.op.equals("hello") ? hello() : send(job);
    }

    private static Map<String, Object> hello() {
        return Map.of(
                "name", "nl.martijndwars:web-push",
                "version", version(),
                "ops", List.of("send"),
                "language", "Java");
    }

    /** What send takes for success: it leaves the status to its caller. */
    private static Map<String, Object> send(Job job) {
        try {
            return told(deliver(job));
        } catch (Exception error) { // it declares five kinds, and malformed keys bring others
            return Map.of("ok", false, "error", error.toString());
        }
    }

    private static HttpResponse deliver(Job job) throws Exception {
        var vapid = job.vapid;
        var service = new PushService(vapid.publicKey, vapid.privateKey, vapid.subject);
        return service.send(notification(job));
    }

    private static Notification notification(Job job) throws GeneralSecurityException {
        return Notification.builder()
                .endpoint(job.subscription.endpoint)
                .userPublicKey(job.subscription.keys.p256dh)
                .userAuth(job.subscription.keys.auth)
                .payload(job.payload == null ? NO_PAYLOAD : Base64.getDecoder().decode(job.payload))
                .ttl(Math.toIntExact(job.ttl))
                .urgency(urgency(job.urgency))
                .topic(job.topic)
                .build();
    }

    /** "very-low" is VERY_LOW. */
    private static Urgency urgency(String name) {
        if (name == null) {
            return null;
        }
        return Urgency.valueOf(name.replace('-', '_').toUpperCase(Locale.ROOT));
    }

    private static Map<String, Object> told(HttpResponse response) throws IOException {
        var told = new HashMap<String, Object>();
        told.put("ok", true);
        told.put("status", response.getStatusLine().getStatusCode());
        var retryAfter = response.getFirstHeader("Retry-After");
        if (retryAfter != null) {
            told.put("retry_after", seconds(retryAfter.getValue()));
        }
        if (response.getEntity() != null) {
            told.put("error", EntityUtils.toString(response.getEntity(), StandardCharsets.UTF_8));
        }
        return told;
    }

    /** A date remains one. */
    private static Object seconds(String field) {
        return field.matches("\\d+") ? (Object) Integer.valueOf(field) : field;
    }

    /** That of its jar's name: its manifest has none. */
    private static String version() {
        var source = PushService.class.getProtectionDomain().getCodeSource();
        return source.getLocation().getPath().replaceAll(".*/web-push-|\\.jar$", "");
    }
}
