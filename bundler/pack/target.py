"""The unfinished bundle on disk: one ``.partial`` file a volume, written at the final offsets, renamed when whole."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from bundler.disk import disk_error, guarded, sync_folder
from bundler.layout.volumes import Cut, split_name

_SUFFIX = ".partial"


class Target:
    """Reads and writes ranges of the bundle's bytes; safe to call from several threads at distinct offsets."""

    def __init__(self, folder: Path, cut: Cut) -> None:
        self.cut = cut
        self.finals = tuple(folder / name for name in cut.names)
        self._partials = tuple(path.with_name(path.name + _SUFFIX) for path in self.finals)
        self._descriptors: list[int] = []
        self.written = 0

    def __enter__(self) -> Target:
        try:
            for path in self._partials:
                with guarded(path, "write"):
                    self._descriptors.append(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())

    def reclaim(self) -> None:
        """Take back the names that a run gave which was killed between the first rename and the last."""
        for partial, final in zip(self._partials, self.finals, strict=True):
            with guarded(final, "rename"):
                if final.is_file() and not final.is_symlink() and not partial.exists():
                    final.replace(partial)

    @property
    def allocated(self) -> int:
        """How many bytes of disk the partial files take already."""
        return sum(os.fstat(descriptor).st_blocks * 512 for descriptor in self._descriptors)

    def clear(self) -> None:
        """Forget whatever the partial files hold, and those of a build that was cut in another way."""
        for descriptor, path in zip(self._descriptors, self._partials, strict=True):
            with guarded(path, "write"):
                os.ftruncate(descriptor, 0)
        folder = self.finals[0].parent
        with guarded(folder, "write"):
            for path in folder.glob(f"{glob.escape(self.cut.name)}*{_SUFFIX}"):
                stem, _ = split_name(path.stem) or (path.stem, 0)
                if stem == self.cut.name and path not in self._partials and path.is_file():
                    path.unlink()

    def write(self, offset: int, data: memoryview | bytes) -> None:
        """Write all of ``data`` at ``offset`` of the bundle. Raises: MachineError."""
        view = memoryview(data)
        for index, at, length in self.cut.pieces(offset, len(view)):
            self._each(index, at, view[:length], os.pwrite, "write")
            view = view[length:]
        self.written += len(data)

    def read(self, offset: int, buffer: memoryview) -> int:
        """Fill ``buffer`` from ``offset`` of the bundle; fewer bytes are returned where the files end before that."""
        filled = 0
        for index, at, length in self.cut.pieces(offset, len(buffer)):
            count = self._each(index, at, buffer[filled : filled + length], _pread, "read")
            filled += count
            if count < length:
                break
        return filled

    def _each(
        self, index: int, at: int, view: memoryview, move: Callable[[int, memoryview, int], int], doing: str
    ) -> int:
        """Call ``move`` until all of ``view`` has gone, or nothing more does; how many bytes have."""
        moved = 0
        while moved < len(view):
            try:
                count = move(self._descriptors[index], view[moved:], at + moved)
            except OSError as error:
                raise disk_error(error, self._partials[index], doing) from error
            if count == 0:
                break
            moved += count
        return moved

    def finish(self) -> None:
        """Set the sizes, make all of it outlive a power cut, and give the files their names, the first one last."""
        for index, (descriptor, path) in enumerate(zip(self._descriptors, self._partials, strict=True)):
            with guarded(path, "write"):
                os.ftruncate(descriptor, self.cut.size_of(index))
                os.fsync(descriptor)
        for partial, final in reversed(list(zip(self._partials, self.finals, strict=True))):
            with guarded(final, "write"):
                partial.replace(final)
        sync_folder(self.finals[0].parent)


def _pread(descriptor: int, view: memoryview, at: int) -> int:
    return os.preadv(descriptor, [view], at)
