/* The compiler and the machine, for lwIP. */
#ifndef CORPUS_CC_H
#define CORPUS_CC_H
#include <stdlib.h>
#define LWIP_RAND() ((u32_t)rand())
#endif
