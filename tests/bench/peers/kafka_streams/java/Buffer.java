import java.io.OutputStream;
import java.util.Arrays;

/** Bytes written over and over: a ByteArrayOutputStream without its lock and its copies. */
final class Buffer extends OutputStream {
    private byte[] bytes = new byte[4096];
    private int size;

    void clear() {
        size = 0;
    }

    int size() {
        return size;
    }

    /** The bytes themselves, of which the first {@code size()} count, until the next write. */
    byte[] bytes() {
        return bytes;
    }

    byte[] copy() {
        return Arrays.copyOf(bytes, size);
    }

    @Override
    public void write(int each) {
        room(1);
        bytes[size++] = (byte) each;
    }

    @Override
    public void write(byte[] from, int offset, int length) {
        room(length);
        System.arraycopy(from, offset, bytes, size, length);
        size += length;
    }

    private void room(int more) {
        if (bytes.length - size < more) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + more));
        }
    }
}
