/* The practical ceiling of the benchmark: walk a classic little-endian pcap of Ethernet frames and
 * hash each IPv4 or IPv6 packet's 5-tuple. Prints the packets and a checksum that keeps the
 * compiler from leaving the work out. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t hash, const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) hash = (hash ^ bytes[i]) * 1099511628211ull;
    return hash;
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    FILE *file = fopen(argv[1], "rb");
    if (!file) return 3;
    static char buffer[1 << 20];
    setvbuf(file, buffer, _IOFBF, sizeof buffer);
    static uint8_t frame[1 << 18];
    uint32_t record[4];
    uint64_t packets = 0, checksum = 0;
    if (fread(frame, 1, 24, file) != 24) return 3;
    while (fread(record, 4, 4, file) == 4) {
        uint32_t captured = record[2];
        if (captured > sizeof frame || fread(frame, 1, captured, file) != captured) return 3;
        packets++;
        if (captured < 54) continue;
        uint64_t hash = 14695981039346656037ull;
        const uint8_t *ip = frame + 14;
        if (frame[12] == 8 && frame[13] == 0) {
            size_t header = (ip[0] & 15) * 4u;
            if (14 + header + 4 > captured) continue;
            hash = mix(hash, ip + 12, 8);
            hash = mix(hash, ip + 9, 1);
            hash = mix(hash, ip + header, 4);
        } else if (frame[12] == 0x86 && frame[13] == 0xdd && captured >= 58) {
            hash = mix(hash, ip + 8, 32);
            hash = mix(hash, ip + 6, 1);
            hash = mix(hash, ip + 40, 4);
        }
        checksum += hash;
    }
    printf("%llu %llu\n", (unsigned long long)packets, (unsigned long long)checksum);
    return 0;
}
