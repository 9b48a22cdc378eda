"""The model pool on SFTP: the requests' own folders, and what was dropped beside them."""

from twinbench.adapters.sftp.drops import SftpDrops
from twinbench.adapters.sftp.pool import SftpPool

__all__ = ["SftpDrops", "SftpPool"]
