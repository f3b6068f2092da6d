/// Puts the parts of WebSocket messages together and checks them (RFC 6455, section 5.4).
struct MessageAssembler {
  enum Part {
    case text, binary, continuation
  }

  private let limitBytes: Int
  private var parts: [UInt8]?

  init(limitBytes: Int) {
    self.limitBytes = limitBytes
  }

  /// The whole message once its last part is there; throws the code to close with.
  mutating func add(
    _ part: Part, bytes: [UInt8], isLast: Bool
  ) throws(MessageViolation) -> [UInt8]? {
    switch (part, parts) {
    case (.binary, nil): throw MessageViolation(code: .unacceptableData)
    case (.text, nil): parts = []
    case (.continuation, .some): break
    case (.text, .some), (.binary, .some), (.continuation, nil):
      throw MessageViolation(code: .protocolError)
    }
    let whole = (parts ?? []) + bytes
    guard whole.count <= limitBytes else { throw MessageViolation(code: .tooBig) }
    guard isLast else {
      parts = whole
      return nil
    }
    parts = nil
    guard String(validating: whole, as: UTF8.self) != nil else {
      throw MessageViolation(code: .invalidPayload)
    }
    return whole
  }
}

/// A peer broke the rules of the WebSocket.
struct MessageViolation: Error {
  let code: CloseCode
}
