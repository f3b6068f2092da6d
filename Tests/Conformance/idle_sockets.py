"""Opens many connections that say nothing, and waits until the server has closed each.

Usage: idle_sockets.py PORT COUNT. Prints how many were opened and how many the server closed.
"""
import resource
import select
import socket
import sys

port, count = int(sys.argv[1]), int(sys.argv[2])
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
poll = select.epoll()
sockets = {}
for _ in range(count):
    idle = socket.create_connection(("127.0.0.1", port), timeout=20)
    sockets[idle.fileno()] = idle
    poll.register(idle.fileno(), select.EPOLLIN)
opened = len(sockets)
while sockets:
    events = poll.poll(60, 1024)
    if not events:
        break
    for number, _ in events:
        idle = sockets.pop(number)
        try:
            assert idle.recv(1) == b"", "the server said something"
        except ConnectionResetError:
            pass
        idle.close()
print(f"opened {opened}, closed {opened - len(sockets)}")
