import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.Stores;

/**
 * The reference job on Kafka Streams: one source, one processor with one store, four sinks.
 *
 * <p>Runs until SIGTERM. Arguments: {@code --bootstrap --prefix --partitions --directory}, and
 * {@code --threads} (1); {@code --set NAME=VALUE}, any number of them, replaces a setting.
 */
public final class ReferenceJob {
    static final String STORE = "rows";
    private static final String[] OUTPUTS = {"attentive", "klaviyo", "ometria", "yespo"};
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private ReferenceJob() {}

    public static void main(String[] arguments) throws InterruptedException {
        Map<String, String> given = new HashMap<>();
        Map<String, String> replaced = new HashMap<>();
        for (int at = 0; at + 1 < arguments.length; at += 2) {
            if (arguments[at].equals("--set")) {
                String[] pair = arguments[at + 1].split("=", 2);
                replaced.put(pair[0], pair[1]);
            } else {
                given.put(arguments[at], arguments[at + 1]);
            }
        }
        Properties settings = Settings.of(given);
        settings.putAll(replaced);
        KafkaStreams streams = new KafkaStreams(topology(given.get("--prefix")), settings);
        CountDownLatch ended = new CountDownLatch(1);
        streams.setUncaughtExceptionHandler(
                failure -> {
                    failure.printStackTrace();
                    ended.countDown();
                    return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
                });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(PATIENCE)));
        streams.start();
        ended.await(); // for ever, unless it fails
        streams.close(PATIENCE);
        System.exit(1);
    }

    static Topology topology(String prefix) {
        ByteArraySerializer as = new ByteArraySerializer();
        Topology topology = new Topology();
        ByteArrayDeserializer of = new ByteArrayDeserializer();
        topology.addSource("in", of, of, prefix + ".in");
        topology.addProcessor("derive", Derive::new, "in");
        topology.addStateStore(
                Stores.keyValueStoreBuilder(
                                Stores.persistentKeyValueStore(STORE),
                                Serdes.ByteArray(),
                                Serdes.ByteArray())
                        .withLoggingEnabled(Map.of())
                        .withCachingEnabled(), // a row changed twice is written once a transaction
                "derive");
        for (String output : OUTPUTS) {
            topology.addSink(output, prefix + "." + output, as, as, "derive");
        }
        return topology;
    }
}
