// Payloads of Amazon's own client of MSK (software.amazon.msk:aws-msk-iam-auth) at fixed clocks: a line of JSON for
// each, with what it was made of. tests/data/msk-iam/payloads.jsonl is its output, see tests/support/msk_iam_payloads.sh.
import com.fasterxml.jackson.databind.ObjectMapper;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.signer.Aws4Signer;
import software.amazon.awssdk.auth.signer.params.Aws4PresignerParams;
import software.amazon.awssdk.http.SdkHttpFullRequest;
import software.amazon.msk.auth.iam.internals.AWS4SignedPayloadGenerator;
import software.amazon.msk.auth.iam.internals.AuthenticationRequestParams;

public class MskIamPayloads {
  static final String[] TIMES = {"2020-10-22T00:00:00Z", "2024-02-29T23:59:59Z", "2026-11-26T05:53:22Z"};
  static final String[] HOSTS = {
    "b-1.orders.abc123.c2.kafka.eu-west-1.amazonaws.com",
    "b-2-public.orders.abc123.c10.kafka.us-east-1.amazonaws.com",
    "boot-x7.c3.kafka-serverless.ap-southeast-2.amazonaws.com",
    "b-3.bestellungen.q1w2e3.c4.kafka.cn-north-1.amazonaws.com.cn",
    "b-1.secret.zzzzzz.c1.kafka.us-gov-west-1.amazonaws.com",
  };
  static final String[][] CREDENTIALS = {
    {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""},
    {"ASIAEXAMPLE", "secret with blanks & signs=+/~", "IQoJb3JpZ2luX2VjE/+//abc==+x"},
  };

  // The library's own steps; only the clock of its signer is ours.
  static Object call(AWS4SignedPayloadGenerator generator, String name, Object... arguments) throws Exception {
    for (Method method : AWS4SignedPayloadGenerator.class.getDeclaredMethods())
      if (method.getName().equals(name)) {
        method.setAccessible(true);
        return method.invoke(generator, arguments);
      }
    throw new IllegalStateException("the library has no " + name);
  }

  static byte[] payload(AuthenticationRequestParams params, Instant time) throws Exception {
    AWS4SignedPayloadGenerator generator = new AWS4SignedPayloadGenerator();
    Aws4PresignerParams signing = ((Aws4PresignerParams) call(generator, "createSigningParams", params)).toBuilder()
        .signingClockOverride(Clock.fixed(time, ZoneOffset.UTC))
        .expirationTime(time.plusSeconds(15 * 60))
        .build();
    SdkHttpFullRequest request = (SdkHttpFullRequest) call(generator, "createRequestForSigning", params);
    return (byte[]) call(generator, "toPayloadBytes", Aws4Signer.create().presign(request, signing), params);
  }

  static AwsCredentials credentials(String[] of) {
    return of[2].isEmpty() ? AwsBasicCredentials.create(of[0], of[1]) : AwsSessionCredentials.create(of[0], of[1], of[2]);
  }

  public static void main(String[] arguments) throws Exception {
    ObjectMapper mapper = new ObjectMapper();
    for (String time : TIMES)
      for (String host : HOSTS)
        for (String[] each : CREDENTIALS) {
          AuthenticationRequestParams params = AuthenticationRequestParams.create(host, credentials(each), "kafka-backup");
          Map<String, Object> line = new LinkedHashMap<>();
          line.put("time", Instant.parse(time).getEpochSecond());
          line.put("host", host);
          line.put("region", params.getRegion().id());
          line.put("access_key_id", each[0]);
          line.put("secret_access_key", each[1]);
          line.put("session_token", each[2]);
          line.put("payload", mapper.readValue(payload(params, Instant.parse(time)), TreeMap.class));
          System.out.println(mapper.writeValueAsString(line));
        }
    System.out.flush();
  }
}
