;; Well-behaved: rejects everything, with a message and a code.
(module
  (import "wapc" "__guest_response" (func $response (param i32 i32)))

  (memory (export "memory") 1)
  (data (i32.const 0) "{\22valid\22:true}")
  (data (i32.const 32) "{\22accepted\22:false,\22message\22:\22not today\22,\22code\22:418}")
  (func (export "__guest_call") (param $operation i32) (param $message i32) (result i32)
    (if (i32.eq (local.get $operation) (i32.const 17)) ;; validate_settings
      (then (call $response (i32.const 0) (i32.const 14)) (return (i32.const 1))))
    (call $response (i32.const 32) (i32.const 51)) (i32.const 1)))
