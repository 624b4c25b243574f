-- CRC-32 of some bytes: shifts, masks and a table looked up by a computed index.
local function make_table()
    local table = {}
    for n = 0, 255 do
        local c = n
        for k = 1, 8 do
            if c & 1 ~= 0 then
                c = 0xEDB88320 ~ (c >> 1)
            else
                c = c >> 1
            end
        end
        table[n] = c
    end
    return table
end

local function crc32(data, n, table)
    local crc = 0xFFFFFFFF
    for i = 0, n - 1 do
        crc = table[(crc ~ data[i]) & 255] ~ (crc >> 8)
    end
    return crc ~ 0xFFFFFFFF
end

local function make_data(n)
    local data = {}
    for i = 0, n - 1 do
        data[i] = (i * 7 + (i >> 3)) & 255
    end
    return data
end

local total = 0
local data = make_data(500000)
local table = make_table()
for k = 1, 30 do
    total = total + crc32(data, 500000, table)
end
print(total)
