/*
 * A firmware of 4 KiB that does what the first instructions of every kernel do, to see whether an accelerator
 * really runs a guest: real mode, protected mode, long mode under page tables of its own, a change of a mapping.
 * Each stage writes a letter to the debug console ("RPLK"); the end leaves QEMU through isa-debug-exit with exit
 * status (0x2a << 1) | 1 = 85. The bytes are linked in as data; accel.c pads them to 64 KiB, so that they end at
 * 4 GiB, where the processor begins, and once more below 1 MiB. Every address is an offset from `rom`: no
 * relocation is left to a linker.
 */
#define ROM_HIGH 0xFFFFF000
#define ROM_LOW  0xF000
#define DEBUGCON 0xe9
#define EXIT     0xf4
#define CODE32   0x08
#define DATA32   0x10
#define CODE64   0x18
#define PML4     0x1000
#define PDPT     0x2000
#define PD       0x3000

    .section .rodata
    .globl accel_rom, accel_rom_end
    .balign 16
accel_rom:
rom:
    .code16
real:
    cli
    movb $'R', %al
    outb %al, $DEBUGCON
    lgdtl %cs:(gdt_register - rom + ROM_LOW)
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $CODE32, $(protected - rom + ROM_HIGH)

    .code32
protected:
    movw $DATA32, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movb $'P', %al
    outb %al, $DEBUGCON
    /* Empty the tables, then map the lowest 4 GiB onto themselves in pages of 2 MiB. */
    cld
    xorl %eax, %eax
    movl $PML4, %edi
    movl $(0x6000 / 4), %ecx
    rep stosl
    movl $(PDPT + 3), PML4
    movl $(PD + 0x0003), PDPT
    movl $(PD + 0x1003), PDPT + 8
    movl $(PD + 0x2003), PDPT + 16
    movl $(PD + 0x3003), PDPT + 24
    movl $PD, %edi
    movl $0x83, %eax
map:
    movl %eax, (%edi)
    addl $8, %edi
    addl $0x200000, %eax
    jnc map
    movl $PML4, %eax
    movl %eax, %cr3
    movl %cr4, %eax
    orl $0x20, %eax /* PAE */
    movl %eax, %cr4
    movl $0xC0000080, %ecx /* EFER.LME */
    rdmsr
    orl $0x100, %eax
    wrmsr
    movl %cr0, %eax
    orl $0x80000000, %eax /* paging on: long mode is active */
    movl %eax, %cr0
    ljmpl $CODE64, $(long_mode - rom + ROM_HIGH)

    .code64
long_mode:
    movb $'L', %al
    outb %al, $DEBUGCON
    xorl %eax, %eax
    cpuid
    rdtsc
    /* A mebibyte written and its end read back. */
    movl $0x100000, %edi
    movl $0x5a5aa5a5, %eax
    movl $0x40000, %ecx
    rep stosl
    cmpl $0x5a5aa5a5, 0x1ffffc
    jne broken
    /* The page at 4 MiB becomes another view of the lowest one, as soon as CR3 is loaded again. */
    movl $0x83, PD + 16
    movq %cr3, %rax
    movq %rax, %cr3
    movl $0x1234abcd, 0x8000
    cmpl $0x1234abcd, 0x408000
    jne broken
    movb $'K', %al
    outb %al, $DEBUGCON
    movl $0x2a, %eax
    jmp leave
broken:
    movb $'!', %al
    outb %al, $DEBUGCON
    movl $0x10, %eax
leave:
    movl $EXIT, %edx
    outl %eax, %dx
halt:
    hlt
    jmp halt

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9a000000ffff /* CODE32 */
    .quad 0x00cf92000000ffff /* DATA32 */
    .quad 0x00af9a000000ffff /* CODE64 */
gdt_register:
    .word gdt_register - gdt - 1
    .long gdt - rom + ROM_HIGH

    /* The processor begins 16 bytes below the end. */
    .fill 0xff0 - (. - rom), 1, 0xff
    .code16
    .byte 0xe9 /* jmp real: a 16-bit displacement, which wraps within the segment */
    .word (ROM_LOW - 0xfff3) & 0xffff
    .fill 0x1000 - (. - rom), 1, 0xff
accel_rom_end:

    .section .note.GNU-stack, "", @progbits
