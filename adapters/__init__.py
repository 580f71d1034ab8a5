"""What faces outwards: AWS, the emulator, the local disk, people."""
