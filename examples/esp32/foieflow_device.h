/*
 * foieflow_device.h: writes FoieFlow's device envelope (CBOR) and its serial frames (COBS with CRC-32), reads
 * acknowledgements, and keeps samples until they are acknowledged.
 *
 * One file, C99 or C++11, no allocation, no dependency. Every function writes into a buffer of the caller's and returns
 * the number of bytes written, or 0 when they do not fit. The protocol is described in docs/device-protocol.md.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef FOIEFLOW_DEVICE_H
#define FOIEFLOW_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ---- CBOR (RFC 8949): definite lengths, shortest heads ---- */

typedef struct {
  uint8_t *bytes;
  size_t capacity;
  size_t length;  /* may run past the capacity; nothing is written there */
} ff_writer;

static inline void ff_put(ff_writer *w, const void *bytes, size_t count) {
  if (count != 0 && w->length <= w->capacity && count <= w->capacity - w->length) {
    memcpy(w->bytes + w->length, bytes, count);
  }
  w->length += count;
}

/* Length written, or 0 when it did not fit. */
static inline size_t ff_end(const ff_writer *w) { return w->length <= w->capacity ? w->length : 0; }

static inline void ff_head(ff_writer *w, uint8_t major, uint64_t value) {
  uint8_t head[9];
  int extra = value < 24 ? 0 : value <= 0xff ? 1 : value <= 0xffff ? 2 : value <= 0xffffffffu ? 4 : 8;
  int code = extra == 0 ? (int)value : extra == 1 ? 24 : extra == 2 ? 25 : extra == 4 ? 26 : 27;
  int i;
  head[0] = (uint8_t)((major << 5) | code);
  for (i = 0; i < extra; i += 1) head[1 + i] = (uint8_t)(value >> (8 * (extra - 1 - i)));
  ff_put(w, head, 1 + (size_t)extra);
}

static inline void ff_uint(ff_writer *w, uint64_t value) { ff_head(w, 0, value); }

static inline void ff_int(ff_writer *w, int64_t value) {
  if (value < 0) ff_head(w, 1, (uint64_t)(-(value + 1)));
  else ff_head(w, 0, (uint64_t)value);
}

static inline void ff_byte_string(ff_writer *w, const void *bytes, size_t count) {
  ff_head(w, 2, count);
  ff_put(w, bytes, count);
}

static inline void ff_text(ff_writer *w, const char *text) {
  size_t count = strlen(text);
  ff_head(w, 3, count);
  ff_put(w, text, count);
}

static inline void ff_array(ff_writer *w, size_t count) { ff_head(w, 4, count); }
static inline void ff_map(ff_writer *w, size_t pairs) { ff_head(w, 5, pairs); }

static inline void ff_bool(ff_writer *w, bool value) {
  uint8_t byte = value ? 0xf5 : 0xf4;
  ff_put(w, &byte, 1);
}

static inline void ff_float(ff_writer *w, float value) {
  uint32_t bits;
  uint8_t bytes[5];
  memcpy(&bits, &value, 4);
  bytes[0] = 0xfa;
  bytes[1] = (uint8_t)(bits >> 24);
  bytes[2] = (uint8_t)(bits >> 16);
  bytes[3] = (uint8_t)(bits >> 8);
  bytes[4] = (uint8_t)bits;
  ff_put(w, bytes, 5);
}

static inline void ff_key_text(ff_writer *w, const char *key, const char *text) {
  if (text == NULL) return;
  ff_text(w, key);
  ff_text(w, text);
}

/* ---- Messages; what is NULL, or whose flag is false, is left out ---- */

typedef struct {
  uint16_t start_bin;
  uint16_t sub_sample;
  const int8_t *zone_map; /* aggregate of each zone, -1 for none; NULL: not sent */
  size_t zones;           /* 16 or 64 */
} ff_cnh;

typedef struct {
  const char *device; /* [A-Za-z0-9_-]{1,64} */
  uint32_t boot;      /* another number after every start, e.g. esp_random() */
  uint32_t seq;       /* 0, 1, 2 ... since the start; the same again when a sample is sent again */
  bool has_time;
  uint64_t time_us; /* microseconds since 1970, UTC */
  bool has_product;
  uint32_t product; /* counts products since the start */
  const char *location;
  const char *lot;
  const char *eleveur;
  const char *provenance;
  const char *firmware;
  bool has_temperature;
  float temperature_c;
  const uint8_t *tof; /* the result frame as read from the sensor, before or after the driver's byte swap */
  size_t tof_length;
  const ff_cnh *cnh;
  bool flip_x; /* how the sensor is mounted: flips first, then clockwise quarter turns (0 ... 3) */
  bool flip_y;
  uint8_t quarter_turns;
  const uint8_t *as7341_pass[2]; /* each 13 bytes from register 0x94, or 12 from 0x95 */
  size_t as7341_pass_length;
  uint8_t as7341_atime;
  uint16_t as7341_astep;
  float as7341_gain; /* 0.5 ... 512; 0: not sent, the blocks carry ASTATUS */
} ff_sample;

static inline size_t ff_encode_sample(uint8_t *out, size_t capacity, const ff_sample *s) {
  ff_writer w = {out, capacity, 0};
  bool spectral = s->as7341_pass[0] != NULL;
  size_t passes = spectral ? (s->as7341_pass[1] != NULL ? 2 : 1) : 0;
  bool turned = s->flip_x || s->flip_y || s->quarter_turns != 0;
  size_t i;
  ff_map(&w, 4u + s->has_time + s->has_product + (s->location != NULL) + (s->lot != NULL) + (s->eleveur != NULL) +
                 (s->provenance != NULL) + (s->firmware != NULL) + s->has_temperature + (s->tof != NULL) + spectral);
  ff_text(&w, "v");
  ff_uint(&w, 1);
  ff_key_text(&w, "device", s->device);
  ff_text(&w, "boot");
  ff_uint(&w, s->boot);
  ff_text(&w, "seq");
  ff_uint(&w, s->seq);
  if (s->has_time) {
    ff_text(&w, "t");
    ff_uint(&w, s->time_us);
  }
  if (s->has_product) {
    ff_text(&w, "product");
    ff_uint(&w, s->product);
  }
  ff_key_text(&w, "location", s->location);
  ff_key_text(&w, "lot", s->lot);
  ff_key_text(&w, "eleveur", s->eleveur);
  ff_key_text(&w, "provenance", s->provenance);
  ff_key_text(&w, "firmware", s->firmware);
  if (s->has_temperature) {
    ff_text(&w, "temperatureC");
    ff_float(&w, s->temperature_c);
  }
  if (s->tof != NULL) {
    ff_text(&w, "vl53l8ch");
    ff_map(&w, 2u + turned + (s->cnh != NULL));
    ff_key_text(&w, "format", "uld");
    ff_text(&w, "raw");
    ff_byte_string(&w, s->tof, s->tof_length);
    if (turned) {
      ff_text(&w, "orientation");
      ff_map(&w, 3);
      ff_text(&w, "flipX");
      ff_bool(&w, s->flip_x);
      ff_text(&w, "flipY");
      ff_bool(&w, s->flip_y);
      ff_text(&w, "quarterTurns");
      ff_uint(&w, s->quarter_turns);
    }
    if (s->cnh != NULL) {
      ff_text(&w, "cnh");
      ff_map(&w, s->cnh->zone_map != NULL ? 3 : 2);
      ff_text(&w, "startBin");
      ff_uint(&w, s->cnh->start_bin);
      ff_text(&w, "subSample");
      ff_uint(&w, s->cnh->sub_sample);
      if (s->cnh->zone_map != NULL) {
        ff_text(&w, "zoneMap");
        ff_array(&w, s->cnh->zones);
        for (i = 0; i < s->cnh->zones; i += 1) ff_int(&w, s->cnh->zone_map[i]);
      }
    }
  }
  if (spectral) {
    ff_text(&w, "as7341");
    ff_map(&w, s->as7341_gain > 0 ? 4 : 3);
    ff_text(&w, "raw");
    ff_array(&w, passes);
    for (i = 0; i < passes; i += 1) ff_byte_string(&w, s->as7341_pass[i], s->as7341_pass_length);
    ff_text(&w, "atime");
    ff_uint(&w, s->as7341_atime);
    ff_text(&w, "astep");
    ff_uint(&w, s->as7341_astep);
    if (s->as7341_gain > 0) {
      ff_text(&w, "gain");
      ff_float(&w, s->as7341_gain);
    }
  }
  return ff_end(&w);
}

/* To be sent once after every start and after every (re)connection. */
static inline size_t ff_encode_hello(uint8_t *out, size_t capacity, const char *device, const char *location,
                                     const char *firmware, bool wants_ack) {
  ff_writer w = {out, capacity, 0};
  ff_map(&w, 3u + (location != NULL) + (firmware != NULL) + wants_ack);
  ff_text(&w, "v");
  ff_uint(&w, 1);
  ff_key_text(&w, "device", device);
  ff_text(&w, "hello");
  ff_bool(&w, true);
  ff_key_text(&w, "location", location);
  ff_key_text(&w, "firmware", firmware);
  if (wants_ack) {
    ff_text(&w, "ack");
    ff_bool(&w, true);
  }
  return ff_end(&w);
}

/* To be sent every 10 s or so while there is nothing else to send. */
static inline size_t ff_encode_heartbeat(uint8_t *out, size_t capacity, const char *device, uint32_t uptime_s,
                                         uint32_t buffered) {
  ff_writer w = {out, capacity, 0};
  ff_map(&w, 5);
  ff_text(&w, "v");
  ff_uint(&w, 1);
  ff_key_text(&w, "device", device);
  ff_text(&w, "heartbeat");
  ff_bool(&w, true);
  ff_text(&w, "uptimeS");
  ff_uint(&w, uptime_s);
  ff_text(&w, "buffered");
  ff_uint(&w, buffered);
  return ff_end(&w);
}

/* ---- Serial frames ---- */

/* Room that the frame of a payload of n bytes needs at most. */
#define FF_FRAME_SIZE(n) ((n) + 4u + ((n) + 4u) / 254u + 1u + 3u)

/* CRC-32 of IEEE 802.3 (zlib's), four bits at a time; start with 0, and go on with the result for more bytes. */
static inline uint32_t ff_crc32(uint32_t crc, const uint8_t *bytes, size_t count) {
  static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                     0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                     0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
  size_t i;
  crc = ~crc;
  for (i = 0; i < count; i += 1) {
    crc ^= bytes[i];
    crc = (crc >> 4) ^ table[crc & 15];
    crc = (crc >> 4) ^ table[crc & 15];
  }
  return ~crc;
}

/* Zero, COBS(payload, CRC-32 little-endian), zero, newline. The output must not overlap the payload. */
static inline size_t ff_frame(uint8_t *out, size_t capacity, const uint8_t *payload, size_t count) {
  uint32_t crc = ff_crc32(0, payload, count);
  size_t code_at = 1;
  size_t to = 2;
  size_t i;
  if (capacity < FF_FRAME_SIZE(count)) return 0;
  out[0] = 0;
  for (i = 0; i < count + 4; i += 1) {
    uint8_t byte = i < count ? payload[i] : (uint8_t)(crc >> (8 * (i - count)));
    if (byte != 0) out[to++] = byte;
    if (byte == 0 || (to - code_at == 0xff && i + 1 < count + 4)) {
      out[code_at] = (uint8_t)(to - code_at);
      code_at = to;
      to += 1;
    }
  }
  out[code_at] = (uint8_t)(to - code_at);
  out[to++] = 0;
  out[to++] = '\n';
  return to;
}

/* ---- Acknowledgements, for a device whose hello asks for them ---- */

/* What a port brings, byte by byte; `bytes` is the caller's, as long as the longest frame expected (256 is plenty). */
typedef struct {
  uint8_t *bytes;
  size_t capacity;
  size_t length;
  bool overflow;
} ff_reader;

/* Undoes ff_frame for what stood between two zeros, in place. Length of the payload, or 0 when the check does not fit. */
static inline size_t ff_unframe(uint8_t *block, size_t count) {
  size_t from = 0;
  size_t to = 0;
  uint32_t crc = 0;
  size_t i;
  while (from < count) {
    size_t code = block[from];
    size_t end = from + code;
    if (code == 0 || end > count) return 0;
    for (from += 1; from < end; from += 1) block[to++] = block[from];
    if (code != 0xff && from < count) block[to++] = 0;
  }
  if (to <= 4) return 0;
  for (i = 0; i < 4; i += 1) crc |= (uint32_t)block[to - 4 + i] << (8 * i);
  return ff_crc32(0, block, to - 4) == crc ? to - 4 : 0;
}

/* Takes the next byte. Length of the message it completes, in reader->bytes until the next call; else 0. */
static inline size_t ff_read_byte(ff_reader *r, uint8_t byte) {
  size_t length = 0;
  if (byte != 0) {
    if (r->length < r->capacity) r->bytes[r->length++] = byte;
    else r->overflow = true;
    return 0;
  }
  if (!r->overflow) length = ff_unframe(r->bytes, r->length);
  r->length = 0;
  r->overflow = false;
  return length;
}

typedef struct {
  bool has_numbers; /* boot and seq were readable in the sample */
  uint32_t boot;
  uint32_t seq;
  uint32_t crc; /* CRC-32 of the message that was accepted */
} ff_ack;

/* One CBOR head; false at the end or where it is of indefinite length. */
static inline bool ff_read_head(const uint8_t *bytes, size_t count, size_t *at, uint8_t *major, uint64_t *value) {
  uint8_t code;
  int extra;
  if (*at >= count) return false;
  *major = bytes[*at] >> 5;
  code = bytes[*at] & 31;
  *at += 1;
  if (code > 27) return false;
  extra = code < 24 ? 0 : 1 << (code - 24);
  if ((size_t)extra > count - *at) return false;
  for (*value = extra == 0 ? code : 0; extra > 0; extra -= 1) *value = (*value << 8) | bytes[(*at)++];
  return true;
}

static inline bool ff_same(const uint8_t *text, size_t count, const char *word) {
  return strlen(word) == count && memcmp(text, word, count) == 0;
}

/* Reads an acknowledgement in CBOR. False for anything else, and for another device's (device NULL: any device's). */
static inline bool ff_read_ack(const uint8_t *bytes, size_t count, const char *device, ff_ack *ack) {
  size_t at = 0;
  uint8_t major;
  uint64_t pairs;
  bool is_ack = false;
  bool has_boot = false;
  bool has_seq = false;
  bool has_crc = false;
  if (!ff_read_head(bytes, count, &at, &major, &pairs) || major != 5) return false;
  for (; pairs > 0; pairs -= 1) {
    const uint8_t *key;
    uint64_t length;
    uint64_t value;
    if (!ff_read_head(bytes, count, &at, &major, &length) || major != 3 || length > count - at) return false;
    key = bytes + at;
    at += (size_t)length;
    if (!ff_read_head(bytes, count, &at, &major, &value)) return false;
    if (major == 3) {
      const uint8_t *text = bytes + at;
      if (value > count - at) return false;
      at += (size_t)value;
      if (ff_same(key, (size_t)length, "type")) is_ack = ff_same(text, (size_t)value, "ack");
      if (ff_same(key, (size_t)length, "device") && device != NULL && !ff_same(text, (size_t)value, device)) return false;
    } else if (major != 0) {
      return false;
    } else if (value <= 0xffffffffu) {
      if (ff_same(key, (size_t)length, "boot")) has_boot = true, ack->boot = (uint32_t)value;
      if (ff_same(key, (size_t)length, "seq")) has_seq = true, ack->seq = (uint32_t)value;
      if (ff_same(key, (size_t)length, "crc")) has_crc = true, ack->crc = (uint32_t)value;
    }
  }
  ack->has_numbers = has_boot && has_seq;
  return is_ack && has_crc;
}

/* ---- Samples not acknowledged yet ---- */

/* First wait for an acknowledgement and the longest; each sending doubles it. */
#ifndef FF_RESEND_FIRST_MS
#define FF_RESEND_FIRST_MS 2000u
#endif
#ifndef FF_RESEND_LAST_MS
#define FF_RESEND_LAST_MS 30000u
#endif

typedef struct {
  uint8_t *bytes; /* the message, unframed */
  size_t length;  /* 0: free */
  uint32_t seq;
  uint32_t crc;
  uint32_t due_ms;
  uint32_t wait_ms;
  uint32_t sendings;
} ff_slot;

/* Keeps messages until they are acknowledged. Slots and storage (count * slot_size bytes) are the caller's. */
typedef struct {
  ff_slot *slots;
  size_t count;
  size_t slot_size;
  uint32_t boot;
} ff_window;

static inline void ff_window_init(ff_window *w, ff_slot *slots, size_t count, uint8_t *storage, size_t slot_size,
                                  uint32_t boot) {
  size_t i;
  w->slots = slots;
  w->count = count;
  w->slot_size = slot_size;
  w->boot = boot;
  memset(slots, 0, count * sizeof *slots);
  for (i = 0; i < count; i += 1) slots[i].bytes = storage + i * slot_size;
}

/* Samples that wait for an acknowledgement. */
static inline size_t ff_window_waiting(const ff_window *w) {
  size_t waiting = 0;
  size_t i;
  for (i = 0; i < w->count; i += 1) waiting += w->slots[i].length != 0;
  return waiting;
}

/* Keeps a copy of a sample (as ff_encode_sample wrote it), due at once. False: no room; keep it elsewhere and try again. */
static inline bool ff_window_keep(ff_window *w, const uint8_t *message, size_t length, uint32_t seq, uint32_t now_ms) {
  size_t i;
  if (length == 0 || length > w->slot_size) return false;
  for (i = 0; i < w->count; i += 1) {
    ff_slot *slot = &w->slots[i];
    if (slot->length != 0) continue;
    memcpy(slot->bytes, message, length);
    slot->length = length;
    slot->seq = seq;
    slot->crc = ff_crc32(0, message, length);
    slot->due_ms = now_ms;
    slot->wait_ms = FF_RESEND_FIRST_MS;
    slot->sendings = 0;
    return true;
  }
  return false;
}

/*
 * The oldest sample to be sent now, or NULL; it is due again after its wait. Where `sendings` is above 1 send the hello
 * first: a server that was started anew does not know yet that the device asks. `now_ms` may wrap around.
 */
static inline const ff_slot *ff_window_due(ff_window *w, uint32_t now_ms) {
  ff_slot *oldest = NULL;
  size_t i;
  for (i = 0; i < w->count; i += 1) {
    ff_slot *slot = &w->slots[i];
    if (slot->length == 0 || (int32_t)(now_ms - slot->due_ms) < 0) continue;
    if (oldest == NULL || slot->seq < oldest->seq) oldest = slot;
  }
  if (oldest == NULL) return NULL;
  oldest->due_ms = now_ms + oldest->wait_ms;
  oldest->wait_ms = oldest->wait_ms < FF_RESEND_LAST_MS / 2 ? oldest->wait_ms * 2 : FF_RESEND_LAST_MS;
  oldest->sendings += 1;
  return oldest;
}

/* Forgets the sample an acknowledgement speaks of; false when it is none of these. */
static inline bool ff_window_acknowledge(ff_window *w, const ff_ack *ack) {
  size_t i;
  for (i = 0; i < w->count; i += 1) {
    ff_slot *slot = &w->slots[i];
    bool same = ack->has_numbers ? ack->boot == w->boot && ack->seq == slot->seq : ack->crc == slot->crc;
    if (slot->length == 0 || slot->sendings == 0 || !same) continue;
    slot->length = 0;
    return true;
  }
  return false;
}

#endif
