;; Grows its table until that is refused, and gives up.
(module
  (memory (export "memory") 1)
  (table $table 1 funcref)
  (data (i32.const 64) "TABLES")
  (data (i32.const 80) "{}")
  ;; Texts and lists are answered by the address of their own address and length.
  (data (i32.const 128) "\40\00\00\00\06\00\00\00")
  (data (i32.const 136) "\50\00\00\00\02\00\00\00")
  (data (i32.const 144) "\00\00\00\00\00\00\00\00")
  (global $free (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.get $free)
    (global.set $free (i32.add (global.get $free) (i32.and (i32.add (local.get 3) (i32.const 7)) (i32.const -8)))))
  (func (export "bulkhead:handler/handler@0.1.0#kind") (result i32) (i32.const 128))
  (func (export "bulkhead:handler/handler@0.1.0#provides") (result i32) (i32.const 144))
  (func (export "bulkhead:handler/handler@0.1.0#defaults") (result i32) (i32.const 136))
  (func (export "bulkhead:handler/handler@0.1.0#dispatch")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 1))
  (func (export "bulkhead:handler/handler@0.1.0#handle")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (loop $again
      (br_if $again (i32.ne (table.grow $table (ref.null func) (i32.const 1000)) (i32.const -1))))
    (unreachable)))
