import Foundation
import Glibc

/// Looks for bytes in all memory of this process that can be written: where values lived.
enum MemoryScan {
  /// Bytes that the scan itself does not hold in the clear.
  struct Needle {
    let name: String
    private let masked: [UInt8]

    init(_ name: String, _ text: String) {
      self.name = name
      masked = text.utf8.map { $0 ^ 0x5a }
    }

    func write(to memory: UnsafeMutableRawPointer) -> Int {
      for (place, byte) in masked.enumerated() {
        memory.storeBytes(of: byte ^ 0x5a, toByteOffset: place, as: UInt8.self)
      }
      return masked.count
    }
  }

  private static let windowBytes = 1 << 20
  private static let pageBytes: UInt = 4096

  /// How often each needle stands in memory.
  static func count(_ needles: [Needle]) throws -> [String: Int] {
    // Both in mappings of their own, which are passed over.
    let window = try map(windowBytes + 4096)
    let probe = try map(4096)
    defer {
      munmap(window, windowBytes + 4096)
      munmap(probe, 4096)
    }
    let own = [UInt(bitPattern: window), UInt(bitPattern: probe)]
    let memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC)
    guard memory >= 0 else { throw POSIXError(.EACCES) }
    defer { close(memory) }
    var counts: [String: Int] = [:]
    for needle in needles {
      let length = needle.write(to: probe)
      defer { memset(probe, 0, 4096) }
      var found = 0
      for region in try regions() where !own.contains(where: region.contains) {
        found += search(region, memory, window, probe, length)
      }
      memset(window, 0, windowBytes)
      counts[needle.name] = found
    }
    return counts
  }

  private static func map(_ count: Int) throws -> UnsafeMutableRawPointer {
    // Shared: the kernel would make one region of private memory and what lies beside it.
    let made = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
    guard let made, made != MAP_FAILED else { throw POSIXError(.ENOMEM) }
    return made
  }

  private static func regions() throws -> [Range<UInt>] {
    try String(contentsOfFile: "/proc/self/maps", encoding: .utf8).split(separator: "\n")
      .compactMap { line in
        let parts = line.split(separator: " ")
        guard parts.count > 1, parts[1].hasPrefix("rw") else { return nil }
        let ends = parts[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
        return ends.count == 2 ? ends[0]..<ends[1] : nil
      }
  }

  private static func search(
    _ region: Range<UInt>, _ memory: Int32, _ window: UnsafeMutableRawPointer,
    _ probe: UnsafeMutableRawPointer, _ length: Int
  ) -> Int {
    var (place, found) = (region.lowerBound, 0)
    while place < region.upperBound {
      let wanted = min(windowBytes, Int(region.upperBound - place))
      let read = pread(memory, window, wanted, off_t(place))
      // Another thread may have given back a part of it meanwhile.
      guard read > 0 else {
        precondition(errno != EBADF, "Somebody else closed what is read here.")
        place += pageBytes
        continue
      }
      guard read >= length else {
        place += UInt(read)
        continue
      }
      let (end, first) = (window + (read - length + 1), Int32(probe.load(as: UInt8.self)))
      var start = window
      while start < end, let hit = memchr(start, first, end - start) {
        if memcmp(hit, probe, length) == 0 { found += 1 }
        start = hit + 1
      }
      // Overlaps by less than a needle, so that one on the seam is found once.
      place += UInt(
        read == wanted && place + UInt(read) < region.upperBound ? read - length + 1 : read)
    }
    return found
  }
}
