# CRC-32 of some bytes: shifts, masks and a table looked up by a computed index.
def make_table():
    table = [0] * 256
    for n in range(256):
        c = n
        for k in range(8):
            if c & 1:
                c = 0xEDB88320 ^ (c >> 1)
            else:
                c = c >> 1
        table[n] = c
    return table


def crc32(data, table):
    crc = 0xFFFFFFFF
    for i in range(len(data)):
        crc = table[(crc ^ data[i]) & 255] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def make_data(n):
    data = [0] * n
    for i in range(n):
        data[i] = (i * 7 + (i >> 3)) & 255
    return data


total = 0
data = make_data(500000)
table = make_table()
for k in range(30):
    total += crc32(data, table)
print(total)
