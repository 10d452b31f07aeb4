import java.io.IOException;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.util.Utf8;

/**
 * The reference job itself, free of Kafka Streams: a record and its customer's row in; the row and
 * the events to tell out, each encoded once.
 *
 * <p>Decoder, encoder, buffer and the event are reused, so that a record costs no object but its
 * row and its deliveries. One thread at a time.
 */
final class Job {
    private static final byte[] DELIVERY_FRAME = {0, 0, 0, 0, 2};
    private static final int FRAME = DELIVERY_FRAME.length;
    private static final Utf8 CREATED = new Utf8("subscriber.create");
    private static final Utf8 CANCELLED = new Utf8("subscriber.cancel");
    private static final Utf8 ACTIVE = new Utf8("active");
    private static final Utf8 INACTIVE = new Utf8("inactive");

    /** The row after the last {@code apply}. */
    byte[] row;

    /** The event of the record itself. */
    byte[] event;

    /** What is concluded from it, told after it, or null. */
    byte[] conclusion;

    private final Event read = new Event();
    private final Buffer buffer = new Buffer();
    private final BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(buffer, null);
    private BinaryDecoder decoder;

    /** Applies a record, as framed by Confluent's serializers, to its customer's row or null. */
    void apply(byte[] value, byte[] before) throws IOException {
        decoder = DecoderFactory.get().binaryDecoder(value, FRAME, value.length - FRAME, decoder);
        read.from(decoder);
        row = changed(before);
        int was = Row.count(before);
        int is = Row.count(row);
        event = delivery(read.eventType, is);
        conclusion = null;
        if (was == 0 && is > 0) {
            conclusion = delivery(CREATED, is);
        } else if (was > 0 && is == 0) {
            conclusion = delivery(CANCELLED, is);
        }
    }

    /** The row with what was read: a live subscription is encoded now, and never again. */
    private byte[] changed(byte[] before) throws IOException {
        buffer.clear();
        encoder.writeString(read.subscriptionId);
        encoder.flush();
        int idLength = buffer.size();
        if (!read.live) {
            return Row.without(before, buffer.bytes(), idLength);
        }
        read.writeLiveAfterId(encoder);
        encoder.flush();
        return Row.with(before, buffer.bytes(), buffer.size(), idLength);
    }

    private byte[] delivery(Utf8 name, int total) throws IOException {
        buffer.clear();
        buffer.write(DELIVERY_FRAME, 0, FRAME);
        read.writeHead(encoder, name, total > 0 ? ACTIVE : INACTIVE, total);
        encoder.writeArrayStart();
        encoder.setItemCount(total);
        encoder.writeFixed(row, Row.start(total), row.length - Row.start(total));
        encoder.writeArrayEnd();
        encoder.flush();
        return buffer.copy();
    }
}
