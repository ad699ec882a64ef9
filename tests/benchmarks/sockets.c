/* A fan-out at its physical limit, and readers that wait for it as real ones do. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* One send() of ready bytes for each socket; how many took them whole. */
long fan(const int *sockets, int count, const char *data, size_t size) {
    long whole = 0;
    for (int i = 0; i < count; i++)
        whole += send(sockets[i], data, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size;
    return whole;
}

/* Reads what comes to the sockets of an epoll and throws it away, until there were `expected`
 * bytes, or nothing came for `quiet` milliseconds (-1: for ever). -1 when a peer hung up. */
long take(int poll, long expected, int quiet) {
    static char buffer[1 << 18];
    struct epoll_event ready[256];
    long taken = 0;
    while (taken < expected) {
        int count = epoll_wait(poll, ready, 256, quiet);
        if (count == 0)
            break;
        for (int i = 0; i < count; i++) {
            ssize_t got = recv(ready[i].data.fd, buffer, sizeof buffer, MSG_DONTWAIT);
            if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
                return -1;
            taken += got > 0 ? got : 0;
        }
    }
    return taken;
}
