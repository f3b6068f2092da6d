/// The C functions take typed pointers that are never null.
extension UnsafeRawBufferPointer {
  var octets: UnsafePointer<UInt8> {
    guard let baseAddress else { preconditionFailure("these bytes are never empty") }
    return baseAddress.assumingMemoryBound(to: UInt8.self)
  }
}

extension UnsafeMutableRawBufferPointer {
  var octets: UnsafeMutablePointer<UInt8> {
    guard let baseAddress else { preconditionFailure("these bytes are never empty") }
    return baseAddress.assumingMemoryBound(to: UInt8.self)
  }
}
