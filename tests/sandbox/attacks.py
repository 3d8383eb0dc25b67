"""Attacks on files, on other processes and over the network.

The value of an attack is True when it got what it wanted; an error means that it was stopped.
What happens outside is looked at as well: see `tests.sandbox.surroundings`. Should a sandbox fail,
an attack must show it without ruin: signal 0 for everybody, a bomb of 64, the machine's own name, an empty device.
"""

from __future__ import annotations

FILES = {
    "read a secret": "open(SECRET).read()",
    "read a secret by a relative path": "open('../' * 20 + SECRET).read()",
    "read the user list": "open('/etc/passwd').read() != ''",
    "list root's home": "os.listdir(os.path.expanduser('~root')) or True",
    "list where the secret lies": "os.listdir(os.path.dirname(SECRET)) != []",
    "read through a symbolic link": "os.symlink(SECRET, 'link')\nopen('link').read()",
    "read through a hard link": "os.link(SECRET, 'link')\nopen('link').read()",
    "read by a file handle": "fd = syscall(304, 265, -100 & (1 << 64) - 1, b'x' * 64, 0)\nTrue",
    "read the parent's environment": "open(f'/proc/{os.getppid()}/environ').read()",
    "read the own environment": "open('/proc/self/environ').read() != ''",
    "find a secret in the environment": "any('CANARY' in name for name in os.environ)",
    "write own memory": "open('/proc/self/mem', 'r+b') and True",
    "write the parent's memory": "open(f'/proc/{os.getppid()}/mem', 'r+b') and True",
    "leave by the root of a process": "open(f'/proc/{os.getppid()}/root{SECRET}').read()",
    "write outside": "open(TARGET, 'w').write('x')",
    "write by a descriptor of a folder": "os.open(TARGET, os.O_CREAT | os.O_WRONLY, dir_fd=os.open('.', 0))",
    "truncate": "os.truncate(SECRET, 0)",
    "truncate what is only read": "os.open('/dev/null', os.O_RDONLY | os.O_TRUNC)",
    "truncate in no mode at all": "os.open('/dev/null', 3 | os.O_TRUNC)",
    "delete": "os.unlink(SECRET)",
    "rename": "os.rename(SECRET, 'mine')",
    "move out": "open('a', 'w').close()\nos.rename('a', TARGET)",
    "change a mode": "os.chmod(SECRET, 0o777)",
    "change a library's mode": "fd = os.open(os.__file__, 0)\nos.fchmod(fd, os.fstat(fd).st_mode & 0o7777)\nTrue",
    "change a library": "open(os.__file__, 'a') and True",
    "change a library's times": "os.utime(os.__file__)\nTrue",
    "set an attribute": "os.setxattr(SECRET, 'user.x', b'x')",
    "make a folder": "os.mkdir('folder')\nTrue",
    "make a pipe with a name": "os.mkfifo('fifo')\nTrue",
    "make a device": "os.mknod('disk', 0o60600, os.makedev(8, 0))\nTrue",
    "read memory's device": "open('/dev/mem', 'rb') and True",
    "read a disk": "any(open(f'/dev/{disk}', 'rb').read(1) for disk in ('sda', 'vda', 'nvme0n1'))",
    "see mounts": "open('/proc/mounts').read() != ''",
    "mount": "call('mount', b'none', b'.', b'tmpfs', 0, None)\nTrue",
    "change the root": "os.chroot('.')\nTrue",
    "type into the terminal": "fcntl.ioctl(0, 0x5412, b'x')\nTrue",
    "find an inherited descriptor": """
def is_open(fd):
    try:
        return bool(os.fstat(fd))
    except OSError:
        return False
any(is_open(fd) for fd in range(4, 1024))""",
}

PROCESSES = {
    "fork": "os.fork() or time.sleep(60)\nTrue",
    "fork bomb": "for _ in range(6): os.fork()\ntime.sleep(9)\nTrue",
    "fork by another name": "call('vfork')\nTrue",
    "fork by clone": "syscall(56, 220, 17, 0, 0, 0, 0) or time.sleep(60)\nTrue",
    "fork by clone3": "syscall(435, 435, struct.pack('11Q', 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0), 88) or time.sleep(60)\nTrue",
    "daemon": """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)
True""",
    "thread": "import threading\nthreading.Thread(target=time.sleep, args=(60,)).start()\nTrue",
    "process pool": "import multiprocessing\nmultiprocessing.Pool(2).map(abs, [1]) == [1]",
    "exec": "os.execv('/bin/sh', ['sh', '-c', 'sleep 60'])",
    "exec from memory": "fd = os.memfd_create('x')\nTrue",
    "shell": "os.system('true') == 0",
    "spawn": "os.posix_spawn('/bin/true', ['true'], {})\nTrue",
    "kill a neighbour": "os.kill(VICTIM, signal.SIGKILL)\nTrue",
    "stop a neighbour": "os.kill(VICTIM, signal.SIGSTOP)\nTrue",
    "kill the parent": "os.kill(os.getppid(), signal.SIGKILL)\nTrue",
    "kill everybody": "os.kill(-1, 0)\nTrue",
    "kill a group": "os.killpg(os.getpgid(os.getppid()), signal.SIGKILL)\nTrue",
    "kill a thread": "syscall(200, 130, VICTIM, 9)\nTrue",
    "kill by a process descriptor": "signal.pidfd_send_signal(os.pidfd_open(VICTIM), 9)\nTrue",
    "kill by a queue": "syscall(129, 138, VICTIM, 9, struct.pack('3i', 9, 0, -1) + bytes(116))\nTrue",
    "kill by owning a descriptor": """
one, other = socket.socketpair()
fcntl.fcntl(one, fcntl.F_SETOWN, VICTIM)
fcntl.fcntl(one, 10, signal.SIGKILL)
fcntl.fcntl(one, fcntl.F_SETFL, os.O_ASYNC)
other.send(b'x')
True""",
    "kill by owning a socket": "one, other = socket.socketpair()\nfcntl.ioctl(one, 0x8901, struct.pack('i', VICTIM))\nTrue",
    "outlive the parent": "call('prctl', 1, 0, 0, 0, 0)\nTrue",
    "become traceable": "call('prctl', 4, 1, 0, 0, 0)\nTrue",
    "trace": "call('ptrace', 16, VICTIM, 0, 0)\nTrue",
    "seize": "call('ptrace', 0x4206, os.getppid(), 0, 0)\nTrue",
    "read a neighbour's memory": "syscall(310, 270, VICTIM, bytes(16), 0, bytes(16), 0, 0)\nTrue",
    "steal a descriptor": "syscall(438, 438, os.pidfd_open(os.getppid()), 0, 0)\nTrue",
    "limit a neighbour": "resource.prlimit(VICTIM, resource.RLIMIT_CPU, (0, 0))\nTrue",
    "lift the own limits": "resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))\nTrue",
    "slow a neighbour": "os.setpriority(os.PRIO_PROCESS, VICTIM, 19)\nTrue",
    "pin a neighbour": "os.sched_setaffinity(VICTIM, {0})\nTrue",
    "become root": "os.setuid(0)\nTrue",
    "regain capabilities": "call('capset', struct.pack('Ii', 0x20080522, 0), struct.pack('6I', *[0xFFFFFFFF] * 6))\nTrue",
    "enter a user namespace": "call('unshare', 1 << 28)\nTrue",
    "enter another's namespace": "call('setns', 0, 0)\nTrue",
    "make an io_uring": "syscall(425, 425, 1, bytes(120))\nTrue",
    "load a BPF program": "syscall(321, 280, 0, bytes(120), 120)\nTrue",
    "watch the processor": "syscall(298, 241, bytes(112), 0, -1 & 0xFFFFFFFF, -1 & 0xFFFFFFFF, 0)\nTrue",
    "handle page faults": "syscall(323, 282, 1)\nTrue",
    "use kernel keys": "syscall(250, 219, 0, -3 & 0xFFFFFFFF, 0)\nTrue",
    "change the personality": "call('personality', 0x0400000)\nTrue",
    "shared memory": "call('shmget', 0, 1 << 20, 0o1600)\nTrue",
    "message queue": "call('msgget', 0, 0o1600)\nTrue",
    "rename the machine": "socket.sethostname(socket.gethostname())\nTrue",
    "reboot": "call('reboot', 0)\nTrue",
    "load a module": "syscall(313, 273, 0, b'', 0)\nTrue",
    "calls of another numbering": "X86 and call('syscall', 0x40000000 | 41, 1, 1, 0) >= 0",
}

NETWORK = {
    "connect": "socket.create_connection(('127.0.0.1', PORT), 1) and True",
    "connect far away": "socket.create_connection(('1.1.1.1', 53), 1) and True",
    "look a name up": "socket.getaddrinfo('example.com', 80) != []",
    "send a datagram": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', UDP_PORT))",
    "call a daemon": "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', ABSTRACT)",
    "call a daemon by its file": "socket.socket(socket.AF_UNIX).connect(NAMED)\nTrue",
    "call a daemon from a datagram pair": "socket.socketpair(type=socket.SOCK_DGRAM)[0].sendto(b'x', ABSTRACT)",
    "call a daemon from a pair": "socket.socketpair()[0].sendto(b'x', NAMED)",
    "listen": "socket.create_server(('127.0.0.1', 0)) and True",
    "listen for IPv6": "socket.socket(socket.AF_INET6).bind(('::1', 0))\nTrue",
    "send raw packets": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW) and True",
    "talk to the kernel": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) and True",
    "talk to the hypervisor": "socket.socket(40, socket.SOCK_STREAM) and True",
}
