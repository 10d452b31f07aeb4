import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.streams.StreamsConfig;

/**
 * How Kafka Streams is set up. What is not here is its default; what was tried besides, and what it
 * came to, is in the README of the benches.
 */
final class Settings {
    private Settings() {}

    static Properties of(Map<String, String> given) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, given.get("--prefix") + "-kafka-streams");
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, given.get("--bootstrap"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, given.get("--directory"));
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, given.getOrDefault("--threads", "1"));
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, -1); // the broker's default
        settings.put(StreamsConfig.ENABLE_METRICS_PUSH_CONFIG, false);
        // Batches of 16 KiB, the default, cost a tenth more CPU: the producer's thread works by the
        // batch. Larger ones need room for 30 partitions' worth of them.
        producer(settings, ProducerConfig.BATCH_SIZE_CONFIG, 128 << 10);
        producer(settings, ProducerConfig.BUFFER_MEMORY_CONFIG, 64 << 20);
        return settings;
    }

    private static void producer(Properties settings, String name, Object value) {
        settings.put(StreamsConfig.producerPrefix(name), value);
    }
}
