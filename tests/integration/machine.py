# SPDX-License-Identifier: Apache-2.0
"""A throw-away machine: this one's files under a layer that is thrown away, with processes,
network, mounts and a systemd of its own. What the documents tell an operator to do as root
is done there, word for word."""
import os
import pathlib
import shutil
import subprocess
import time

from conftest import wait_until

# In this order: the layer, what a kernel shows, and systemd as process 1. Nothing of the
# packages that the tests need is started: a document has to say so.
BOOT = r"""
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1"/layer "$1"/work "$1"/root "$1"/cgroups
root=$1/root
mount -t overlay -o "lowerdir=/,upperdir=$1/layer,workdir=$1/work" overlay "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
ip link set lo up
hostname machine.example.org
rm -rf "$root"/etc/systemd/system/*.wants "$root"/etc/machine-id
echo 0123456789abcdef0123456789abcdef > "$root/etc/machine-id"
echo '127.0.0.1 localhost machine.example.org' > "$root/etc/hosts"
mkdir -p "$root/machine-old"
mount -t cgroup2 cgroup2 "$1/cgroups"
mkdir "$1/cgroups/$2"
echo $$ > "$1/cgroups/$2/cgroup.procs"
exec unshare --cgroup bash -c "$3" enter "$root"
"""
# A machine has control groups of its own: filters that systemd ties to one, such as
# IPAddressDeny=, would outlive the machine and hold for the next.
ENTER = r"""
set -e
mount -t cgroup2 cgroup2 "$1/sys/fs/cgroup"
cd "$1"
pivot_root . machine-old
umount -l /machine-old
exec env -i container=hamlet-test PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=multi-user.target --log-target=journal --show-status=false
"""
REMOVE = r"""
mount --make-rprivate /
mount -t cgroup2 cgroup2 /mnt
for try in $(seq 100); do
    find "/mnt/$1" -depth -type d -exec rmdir {} + 2>/dev/null
    [ -e "/mnt/$1" ] || break
    sleep 0.1
done
"""
SPACES = ["--mount", "--pid", "--net", "--uts", "--ipc"]


def why_not():
    """What keeps this place from having such a machine; "" = nothing."""
    if os.geteuid() != 0:
        return "a machine of its own is made by root"
    if not pathlib.Path("/lib/systemd/systemd").exists() or not shutil.which("ip"):
        return "systemd and iproute2 are needed"
    tried = subprocess.run(
        ["unshare", *SPACES, "--fork", "bash", "-c",
         "mount --make-rprivate / && mount -t tmpfs tmpfs /mnt && mkdir /mnt/a /mnt/b /mnt/c && "
         "mount -t overlay -o lowerdir=/etc,upperdir=/mnt/a,workdir=/mnt/b overlay /mnt/c && "
         "mount -t cgroup2 cgroup2 /mnt/a"], capture_output=True, text=True)
    return tried.stderr.strip()


class Machine:
    def __init__(self, folder):
        self.folder, self.group = folder, "hamlet-test-%d-%d" % (os.getpid(), time.monotonic_ns())
        folder.mkdir()
        self.process = subprocess.Popen(
            ["unshare", *SPACES, "--fork", "--kill-child", "bash", "-c", BOOT, "boot",
             folder, self.group, ENTER],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(folder.parent / "boot", "wb"))
        self.init = None
        wait_until(self.is_up, "the machine is up: " + (folder.parent / "boot").read_text(), 120)

    def is_up(self):
        children = pathlib.Path("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid))
        self.init = children.read_text().split()[0] if children.exists() and children.read_text() else None
        if not self.init:
            return False
        state = self.run("systemctl is-system-running", check=False).strip()
        return state in ("running", "degraded")

    def run(self, script, folder="/", check=True, **options):
        """Runs a script of bash as root; returns what it printed, both streams."""
        done = subprocess.run(
            ["nsenter", "--target", self.init, "--mount", "--pid", "--net", "--uts", "--cgroup", "--ipc",
             "--root", "--wd", "env", "-i", "HOME=/root", "TERM=dumb", "LANG=C.UTF-8",
             "DEBIAN_FRONTEND=noninteractive", "MAKEFLAGS=-j%d" % os.cpu_count(),
             "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
             "bash", "-euo", "pipefail", "-c", "cd %s\n%s" % (folder, script)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900, **options)
        printed = done.stdout.decode(errors="replace")
        assert not check or done.returncode == 0, "%s\n%s" % (script, printed)
        return printed

    def write(self, path, content, mode=0o644):
        if isinstance(content, str):
            content = content.encode()
        self.run("mkdir -p $(dirname '%s') && cat > '%s' && chmod %o '%s'" % (path, path, mode, path),
                 input=content)

    def log(self, unit):
        return self.run("journalctl --no-pager -u " + unit)

    def stop(self):
        self.process.kill()
        self.process.wait()
        subprocess.run(["unshare", "--mount", "bash", "-c", REMOVE, "remove", self.group])
