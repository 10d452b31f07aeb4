import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** The processor: the job between a store and the sinks, which all get the same bytes. */
final class Derive extends ContextualProcessor<byte[], byte[], byte[], byte[]> {
    private final Job job = new Job();
    private KeyValueStore<byte[], byte[]> rows;

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        super.init(context);
        rows = context.getStateStore(ReferenceJob.STORE);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        try {
            job.apply(record.value(), rows.get(record.key()));
        } catch (IOException wrong) {
            throw new UncheckedIOException(wrong);
        }
        rows.put(record.key(), job.row);
        context().forward(record.withValue(job.event));
        if (job.conclusion != null) {
            context().forward(record.withValue(job.conclusion));
        }
    }
}
