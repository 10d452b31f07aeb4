import java.io.IOException;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.util.Utf8;

/**
 * A record of the source (event.avsc), read into the same object again and again; and what is told
 * of it (delivery.avsc). Text stays UTF-8: nothing here looks at a character.
 */
final class Event {
    final Utf8 eventType = new Utf8();
    final Utf8 subscriptionId = new Utf8();
    boolean live;

    private final Utf8 eventId = new Utf8();
    private long occurredAt;
    private final Optional firstName = new Optional();
    private final Optional lastName = new Optional();
    private final Optional email = new Optional();
    private final Optional phoneNumber = new Optional();
    private int quantity;
    private int frequencyDays;
    private final Optional frequencyDescription = new Optional();
    private final Optional productId = new Optional();
    private final Optional productName = new Optional();
    private final Optional sku = new Optional();
    private final Optional imageUrl = new Optional();
    private final Optional detailUrl = new Optional();

    /** Reads what the job needs. The three fields after {@code live} are of no interest to it. */
    void from(BinaryDecoder from) throws IOException {
        from.readString(eventId);
        from.readString(eventType);
        occurredAt = from.readLong();
        from.skipString(); // merchant_id
        from.skipString(); // customer.id
        firstName.read(from);
        lastName.read(from);
        email.read(from);
        phoneNumber.read(from);
        from.readString(subscriptionId);
        quantity = from.readInt();
        frequencyDays = from.readInt();
        frequencyDescription.read(from);
        productId.read(from);
        productName.read(from);
        sku.read(from);
        imageUrl.read(from);
        detailUrl.read(from);
        live = from.readBoolean();
    }

    /** Writes a delivery up to its subscriptions. */
    void writeHead(BinaryEncoder to, Utf8 name, Utf8 status, int total) throws IOException {
        to.writeString(eventId);
        to.writeString(name);
        to.writeLong(occurredAt);
        email.write(to);
        phoneNumber.write(to);
        firstName.write(to);
        lastName.write(to);
        to.writeString(status);
        to.writeInt(total);
    }

    /** Writes the subscription as an item of a delivery, all but its id, which comes first. */
    void writeLiveAfterId(BinaryEncoder to) throws IOException {
        to.writeInt(quantity);
        to.writeInt(frequencyDays);
        frequencyDescription.write(to);
        productId.write(to);
        productName.write(to);
        sku.write(to);
        imageUrl.write(to);
        detailUrl.write(to);
    }

    /** A union of null and string. */
    private static final class Optional {
        private final Utf8 text = new Utf8();
        private boolean present;

        void read(BinaryDecoder from) throws IOException {
            present = from.readIndex() == 1;
            if (present) {
                from.readString(text);
            }
        }

        void write(BinaryEncoder to) throws IOException {
            to.writeIndex(present ? 1 : 0);
            if (present) {
                to.writeString(text);
            }
        }
    }
}
