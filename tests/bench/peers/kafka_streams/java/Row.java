import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A customer's row: how many subscriptions are live, the length of each, then each as Avro, in the
 * order in which they came. So a delivery takes all of them in one copy, and a change copies the
 * rest as it is.
 */
final class Row {
    private static final int INT = Integer.BYTES;
    private static final VarHandle INTS =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final byte[] EMPTY = new byte[INT];

    private Row() {}

    /** How many are live. */
    static int count(byte[] row) {
        return row == null ? 0 : (int) INTS.get(row, 0);
    }

    /** Where the first of so many begins. */
    static int start(int count) {
        return INT * (1 + count);
    }

    /**
     * The row with a subscription: in the place of the one with its id, or as the last.
     *
     * @param live begins with the subscription as Avro, {@code length} bytes, and this with its id
     */
    static byte[] with(byte[] row, byte[] live, int length, int idLength) {
        byte[] old = row == null ? EMPTY : row;
        int count = count(old);
        int at = start(count);
        for (int each = 0; each < count; each++) {
            int size = size(old, each);
            if (begins(old, at, size, live, idLength)) { // encoded, a longer id begins otherwise
                byte[] changed = new byte[old.length - size + length];
                System.arraycopy(old, 0, changed, 0, at);
                System.arraycopy(live, 0, changed, at, length);
                System.arraycopy(old, at + size, changed, at + length, old.length - at - size);
                INTS.set(changed, start(each), length);
                return changed;
            }
            at += size;
        }
        byte[] longer = new byte[old.length + INT + length];
        int start = start(count);
        INTS.set(longer, 0, count + 1);
        System.arraycopy(old, INT, longer, INT, start - INT);
        INTS.set(longer, start, length);
        System.arraycopy(old, start, longer, start + INT, old.length - start);
        System.arraycopy(live, 0, longer, old.length + INT, length);
        return longer;
    }

    /** The row without the subscription whose Avro begins with this id, if it has one. */
    static byte[] without(byte[] row, byte[] id, int idLength) {
        byte[] old = row == null ? EMPTY : row;
        int count = count(old);
        int at = start(count);
        for (int each = 0; each < count; each++) {
            int size = size(old, each);
            if (begins(old, at, size, id, idLength)) {
                byte[] shorter = new byte[old.length - INT - size];
                int length = start(each);
                INTS.set(shorter, 0, count - 1);
                System.arraycopy(old, INT, shorter, INT, length - INT);
                System.arraycopy(old, length + INT, shorter, length, at - length - INT);
                System.arraycopy(old, at + size, shorter, at - INT, old.length - at - size);
                return shorter;
            }
            at += size;
        }
        return old;
    }

    private static int size(byte[] row, int each) {
        return (int) INTS.get(row, start(each));
    }

    private static boolean begins(byte[] row, int at, int size, byte[] id, int length) {
        return size >= length && Arrays.equals(row, at, at + length, id, 0, length);
    }
}
