import CSodium
public import Wire

/// Where random bytes come from; passed into everything that needs chance.
public protocol Entropy {
  /// `count` bytes nobody can foretell.
  mutating func bytes(_ count: Int) -> [UInt8]
}

/// The kernel's random bytes through libsodium. It has no seed, so it cannot be made to repeat.
public struct SodiumEntropy: Entropy, Sendable {
  public init() {
    Sodium.start()
  }

  public mutating func bytes(_ count: Int) -> [UInt8] {
    var run = [UInt8](repeating: 0, count: count)
    randombytes_buf(&run, count)
    return run
  }
}

extension Entropy {
  /// A fresh random id of the kind asked for.
  public mutating func identifier<Kind>() -> Identifier<Kind> {
    let run = bytes(Identifier<Kind>.byteCount)
    guard let id = Identifier<Kind>(bytes: run) else {
      preconditionFailure("an entropy gives as many bytes as it is asked for")
    }
    return id
  }

  /// A number in `0..<bound`, each equally likely: draws in the uneven rest are thrown away.
  mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "there is no number below \(bound)")
    let bound = UInt64(bound)
    let unevenRest = (UInt64.max % bound + 1) % bound
    while true {
      let draw = bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
      if draw <= UInt64.max - unevenRest { return Int(draw % bound) }
    }
  }

  /// A new key; the array it came in is zeroed.
  mutating func secret(_ count: Int) -> Secret {
    var run = bytes(count)
    defer { run.wipe() }
    return Secret(copying: run)
  }
}

/// libsodium, started once before its first use.
enum Sodium {
  private static let result = sodium_init()

  static func start() {
    precondition(result >= 0, "libsodium does not start: the system gives no random bytes")
  }
}
