const microsecondsPerHundredth = 10_000;
const daysTo2000 = 10_957;

/** Rows in the binary form of Postgres' COPY, without its header and trailer. */
export class BinaryRows {
    rows = 0;
    private buffer = Buffer.allocUnsafe(1 << 20);
    private length = 0;

    get bytes(): number {
        return this.length;
    }

    /** What was written so far; the next row begins a new piece. */
    take(): Buffer {
        const taken = this.buffer.subarray(0, this.length);
        this.buffer = Buffer.allocUnsafe(1 << 20);
        this.length = 0;
        return taken;
    }

    row(columns: number): void {
        // Enough for the widest row by far: no field checks for room again.
        if (this.length + 16_384 > this.buffer.length) {
            const larger = Buffer.allocUnsafe(this.buffer.length * 2);
            this.buffer.copy(larger, 0, 0, this.length);
            this.buffer = larger;
        }
        this.rows += 1;
        this.length = this.buffer.writeInt16BE(columns, this.length);
    }

    missing(): void {
        this.length = this.buffer.writeInt32BE(-1, this.length);
    }

    int2(value: number | undefined): void {
        if (value === undefined) {
            this.missing();
            return;
        }
        this.length = this.buffer.writeInt32BE(2, this.length);
        this.length = this.buffer.writeInt16BE(value, this.length);
    }

    int4(value: number | undefined): void {
        if (value === undefined) {
            this.missing();
            return;
        }
        this.length = this.buffer.writeInt32BE(4, this.length);
        this.length = this.buffer.writeInt32BE(value, this.length);
    }

    int8(value: number | undefined): void {
        if (value === undefined) {
            this.missing();
            return;
        }
        this.length = this.buffer.writeInt32BE(8, this.length);
        this.writeInt64(value);
    }

    /** At most some thousand characters. */
    text(value: string | undefined): void {
        if (value === undefined) {
            this.missing();
            return;
        }
        const written = this.buffer.write(value, this.length + 4, "utf8");
        this.buffer.writeInt32BE(written, this.length);
        this.length += 4 + written;
    }

    /** Days since 1970-01-01. */
    date(day: number): void {
        this.int4(day - daysTo2000);
    }

    /** Seconds since 1970-01-01, in UTC. */
    timestamptz(seconds: number): void {
        this.length = this.buffer.writeInt32BE(8, this.length);
        this.writeInt64((seconds - daysTo2000 * 86_400) * 1_000_000);
    }

    /** Hundredths of seconds. */
    interval(hundredths: number | undefined): void {
        if (hundredths === undefined) {
            this.missing();
            return;
        }
        this.length = this.buffer.writeInt32BE(16, this.length);
        this.writeInt64(hundredths * microsecondsPerHundredth);
        this.length = this.buffer.writeInt32BE(0, this.length);
        this.length = this.buffer.writeInt32BE(0, this.length);
    }

    /** A number not below 0 with at most two digits after the point, shown with `scale` of them. */
    numeric(value: number | undefined, scale: 0 | 1 | 2): void {
        if (value === undefined) {
            this.missing();
            return;
        }
        const hundredths = Math.round(value * 100);
        let whole = Math.floor(hundredths / 100);
        const fraction = (hundredths % 100) * 100;
        // Digits of base 10,000, the most significant first.
        const digits: number[] = fraction > 0 ? [fraction] : [];
        let weight = -1;
        for (; whole > 0; whole = Math.floor(whole / 10_000)) {
            digits.unshift(whole % 10_000);
            weight += 1;
        }
        this.length = this.buffer.writeInt32BE(8 + 2 * digits.length, this.length);
        this.length = this.buffer.writeInt16BE(digits.length, this.length);
        this.length = this.buffer.writeInt16BE(weight, this.length);
        this.length = this.buffer.writeInt16BE(0, this.length);
        this.length = this.buffer.writeInt16BE(scale, this.length);
        for (const digit of digits) this.length = this.buffer.writeInt16BE(digit, this.length);
    }

    /** As two halves: a bigint for each value costs an allocation. */
    private writeInt64(value: number): void {
        this.length = this.buffer.writeInt32BE(Math.floor(value / 2 ** 32), this.length);
        this.length = this.buffer.writeUInt32BE(((value % 2 ** 32) + 2 ** 32) % 2 ** 32, this.length);
    }
}

/** Signature, no flags, no extension. */
export const binaryHeader = Buffer.from("5047434f50590aff0d0a000000000000000000", "hex");
export const binaryTrailer = Buffer.from("ffff", "hex");
