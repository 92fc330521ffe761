// A narrow line: joins two network namespaces by a TUN device in each and carries packets between them with a rate, a
// delay each way and a loss, for machines whose kernel has no netem.
//
//     narrow_line NAMESPACE NAMESPACE RATE_BITS_PER_SECOND DELAY_MS LOSS_PERCENT QUEUE_MS
//
// Both devices are called `line`. Says "ready" once they are there; addresses are the caller's business. The line goes
// with the process, and the process with the one that started it.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define PACKETS 4096
#define BYTES 2048

struct packet {
  int64_t due;
  int length;
  unsigned char bytes[BYTES];
};

// One way of the line: what is on it, oldest first, and until when it is busy with what was taken already.
struct way {
  int to;
  int first, number;
  int64_t busy_until;
  struct packet packets[PACKETS];
};

static int64_t rate, delay, queue;
static double loss;
static uint64_t state = 0x9E3779B97F4A7C15ull;
static struct way ways[2];

static void fail(const char *what) {
  fprintf(stderr, "narrow_line: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ll + t.tv_nsec;
}

// xorshift64*: always the same losses, so that a run can be had again.
static double chance(void) {
  state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
  return (double)((state * 0x2545F4914F6CDD1Dull) >> 11) / 9007199254740992.0;
}

static int device_in(const char *name) {
  char file[256];
  snprintf(file, sizeof file, "/var/run/netns/%s", name);
  int space = open(file, O_RDONLY | O_CLOEXEC);
  if (space < 0 || setns(space, CLONE_NEWNET) < 0) fail(file);
  close(space);
  int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (device < 0) fail("/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  strcpy(request.ifr_name, "line");
  if (ioctl(device, TUNSETIFF, &request) < 0) fail("TUNSETIFF");
  return device;
}

static void take(int from, struct way *way) {
  unsigned char bytes[BYTES];
  int length;
  while ((length = (int)read(from, bytes, sizeof bytes)) > 0) {
    int64_t at = now(), begin = way->busy_until > at ? way->busy_until : at;
    // What is lost on the way was sent all the same: it takes its time on the line.
    if (begin - at > queue || way->number == PACKETS) continue;
    way->busy_until = begin + length * 8 * 1000000000ll / rate;
    if (chance() < loss) continue;
    struct packet *packet = &way->packets[(way->first + way->number++) % PACKETS];
    packet->due = way->busy_until + delay;
    packet->length = length;
    memcpy(packet->bytes, bytes, (size_t)length);
  }
}

static int64_t deliver(struct way *way) {
  while (way->number > 0) {
    struct packet *packet = &way->packets[way->first];
    int64_t wait = packet->due - now();
    if (wait > 0) return wait;
    // A device whose other side is not up yet takes nothing: lost, as on any line.
    if (write(way->to, packet->bytes, (size_t)packet->length) < 0 && errno != EIO && errno != EAGAIN) fail("write");
    way->first = (way->first + 1) % PACKETS;
    way->number -= 1;
  }
  return -1;
}

int main(int count, char **words) {
  if (count != 7) {
    fprintf(stderr, "usage: narrow_line NAMESPACE NAMESPACE RATE DELAY_MS LOSS_PERCENT QUEUE_MS\n");
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_TIMERSLACK, 1);
  rate = atoll(words[3]), delay = atoll(words[4]) * 1000000, loss = atof(words[5]) / 100, queue = atoll(words[6]) * 1000000;
  int ends[2] = {device_in(words[1]), device_in(words[2])};
  ways[0].to = ends[1], ways[1].to = ends[0];
  puts("ready");
  fflush(stdout);
  for (;;) {
    int64_t wait = -1;
    for (int i = 0; i < 2; i++) {
      int64_t next = deliver(&ways[i]);
      if (next >= 0 && (wait < 0 || next < wait)) wait = next;
    }
    struct pollfd polled[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLIN, 0}};
    struct timespec span = {wait / 1000000000, wait % 1000000000};
    if (ppoll(polled, 2, wait < 0 ? NULL : &span, NULL) < 0 && errno != EINTR) fail("ppoll");
    for (int i = 0; i < 2; i++) {
      if (polled[i].revents & POLLIN) take(ends[i], &ways[i]);
    }
  }
}
