/*
 * Writes frames as a device would, on a computer: a hello, a heartbeat and two samples, to standard output.
 *
 *   cc -std=c99 -Wall -Wextra -Werror host_test.c -o host_test && ./host_test TOF_FILE AS7341_FILE > frames.bin
 *
 * TOF_FILE holds one result frame, AS7341_FILE two passes of 13 bytes.
 */
#include <stdio.h>

#include "foieflow_device.h"

static uint8_t tof[16384];
static uint8_t passes[26];
static uint8_t message[20000];
static uint8_t frame[FF_FRAME_SIZE(sizeof message)];

static size_t read_file(const char *path, uint8_t *into, size_t capacity) {
  FILE *file = fopen(path, "rb");
  size_t count;
  if (file == NULL) return 0;
  count = fread(into, 1, capacity, file);
  fclose(file);
  return count;
}

static int send(size_t count) {
  size_t length = count == 0 ? 0 : ff_frame(frame, sizeof frame, message, count);
  return length != 0 && fwrite(frame, 1, length, stdout) == length;
}

int main(int argc, char **argv) {
  static const int8_t zone_map[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, -1};
  ff_cnh cnh = {4, 2, zone_map, 16};
  ff_sample sample = {0};
  size_t whole;
  if (argc != 3) return 2;
  sample.device = "ESP32_C_01";
  sample.boot = 4000000000u;
  sample.seq = 23;
  sample.tof = tof;
  sample.tof_length = read_file(argv[1], tof, sizeof tof);
  if (sample.tof_length == 0 || read_file(argv[2], passes, sizeof passes) != sizeof passes) return 3;
  sample.as7341_pass[0] = passes;
  sample.as7341_pass[1] = passes + 13;
  sample.as7341_pass_length = 13;
  sample.as7341_atime = 29;
  sample.as7341_astep = 599;

  if (!send(ff_encode_hello(message, sizeof message, sample.device, "Ligne A", "2.1.0", true))) return 4;
  if (!send(ff_encode_heartbeat(message, sizeof message, sample.device, 3600, 7))) return 4;
  whole = ff_encode_sample(message, sizeof message, &sample);
  if (!send(whole)) return 4;
  /* Too small by one byte: nothing is sent in part. */
  if (ff_encode_sample(message, whole - 1, &sample) != 0) return 5;

  sample.seq = 24;
  sample.has_time = true;
  sample.time_us = 1795342996123456u;
  sample.has_product = true;
  sample.product = 300;
  sample.location = "Ligne A";
  sample.lot = "LOT-1";
  sample.eleveur = "Ferme Éric";
  sample.provenance = "Périgord";
  sample.firmware = "2.1.0";
  sample.has_temperature = true;
  sample.temperature_c = -3.25f;
  sample.cnh = &cnh;
  sample.flip_x = true;
  sample.quarter_turns = 3;
  sample.as7341_gain = 0.5f;
  sample.as7341_pass_length = 12; /* without ASTATUS */
  sample.as7341_pass[0] = passes + 1;
  sample.as7341_pass[1] = passes + 14;
  return send(ff_encode_sample(message, sizeof message, &sample)) ? 0 : 4;
}
