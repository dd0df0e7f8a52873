/*
 * A device that asks for acknowledgements, on a computer: sends COUNT samples as frames to standard output, reads
 * acknowledgements from standard input, sends again what was not acknowledged, and ends when all are.
 *
 *   cc -std=c99 -Wall -Wextra -Werror host_ack.c -o host_ack && ./host_ack COUNT
 */
#define _POSIX_C_SOURCE 200112L
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "foieflow_device.h"

#define DEVICE "ESP32_C_02"
#define SLOTS 8
#define MESSAGE 512

static uint8_t message[MESSAGE];
static uint8_t frame[FF_FRAME_SIZE(MESSAGE)];
static uint8_t received[256];
static uint8_t storage[SLOTS * MESSAGE];
static ff_slot slots[SLOTS];

static uint32_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint32_t)((uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u);
}

static void send(const uint8_t *bytes, size_t count) {
  size_t length = ff_frame(frame, sizeof frame, bytes, count);
  if (length == 0 || fwrite(frame, 1, length, stdout) != length) exit(4);
  fflush(stdout);
}

static void hello(void) {
  uint8_t bytes[128];
  send(bytes, ff_encode_hello(bytes, sizeof bytes, DEVICE, NULL, NULL, true));
}

int main(int argc, char **argv) {
  static const uint8_t tof[40] = {0};
  uint32_t count = argc == 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
  uint32_t seq = 0;
  ff_window window;
  ff_reader reader = {received, sizeof received, 0, false};
  const ff_slot *slot;
  ff_window_init(&window, slots, SLOTS, storage, MESSAGE, 7);
  hello();
  while (seq < count || ff_window_waiting(&window) > 0) {
    struct pollfd input = {0, POLLIN, 0};
    while (seq < count) {
      ff_sample sample = {0};
      sample.device = DEVICE;
      sample.boot = 7;
      sample.seq = seq;
      sample.tof = tof;
      sample.tof_length = sizeof tof;
      if (!ff_window_keep(&window, message, ff_encode_sample(message, sizeof message, &sample), seq, now_ms())) break;
      seq += 1;
    }
    while ((slot = ff_window_due(&window, now_ms())) != NULL) {
      if (slot->sendings > 1) hello();
      send(slot->bytes, slot->length);
    }
    if (poll(&input, 1, 5) > 0) {
      uint8_t bytes[64];
      ssize_t taken = read(0, bytes, sizeof bytes);
      ssize_t i;
      if (taken <= 0) return 5;
      for (i = 0; i < taken; i += 1) {
        size_t length = ff_read_byte(&reader, bytes[i]);
        ff_ack ack;
        if (length > 0 && ff_read_ack(received, length, DEVICE, &ack)) ff_window_acknowledge(&window, &ack);
      }
    }
  }
  return 0;
}
